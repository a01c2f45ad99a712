"""Wait for the next time, run, and wait again: one run at a time, missed times made up for once.

The waiting looks at the clock at least every half minute: a laptop that was asleep, or a clock that was set, is noticed
when it happens, not when a timer of before runs out. What is due is on disk before anything is started, so that a kill
at any moment neither loses a tick nor runs it twice (see `ticks`).
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from goodfit.scheduling.expressions import Timetable
from goodfit.scheduling.journal import Log
from goodfit.scheduling.ticks import Tick, Ticks
from goodfit.stage import failpoint

LOOK = 30.0
POLL = 0.2
GRACE = 60.0
"""Seconds that a run is given to end after it was asked to."""
Clock = Callable[[], datetime]


class Scheduler:
    """Runs a command by a timetable until it is stopped.

    Args:
        times: when.
        command: what.
        ticks: of the workspace.
        log: of the workspace.
        jitter: seconds by which a run may be late, at random, so that many machines do not start as one.
        clock: tells the time, in UTC.
    """

    def __init__(
        self,
        times: Timetable,
        command: Sequence[str],
        ticks: Ticks,
        log: Log,
        jitter: float = 0.0,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self.times, self.command, self.ticks, self.log = times, list(command), ticks, log
        self.jitter, self.clock = jitter, clock
        self.stopped = threading.Event()
        self.runs = 0

    def stop(self) -> None:
        """Begin no other run; the one that goes on is asked to end."""
        self.stopped.set()

    def serve(self) -> None:
        """Run what is due, until stopped."""
        known = self.ticks.all()
        for tick in known:
            self._make_up_for(tick)
        last = min(known[-1].at, self.clock()) if known else self.clock()  # a clock that was ahead must not stop us
        while (due := self._wait(self.times.after(last))) is not None:
            last = due
            if self.ticks.at(due).taken:
                continue  # the clock was set back
            tick = self.ticks.record(due)
            failpoint("schedule.recorded")  # K33: the tick is written down, no run has begun
            self._run(tick)

    def _make_up_for(self, tick: Tick) -> None:
        """Deal with a tick of an earlier scheduler: wait for its run, or start the one that never began."""
        while tick.alive and not self.stopped.wait(POLL):
            pass
        if not tick.taken:
            self.log.write(f"{_shown(tick.at)}: was due and never begun")
            self._run(tick)

    def _wait(self, next_time: datetime) -> datetime | None:
        """Wait until a time has come; return the latest one that has, for those between are made up for by one run."""
        self.log.write(f"next: {_shown(next_time)}")
        while (left := (next_time - self.clock()).total_seconds()) > 0:
            if self.stopped.wait(min(left, LOOK)):
                return None
        latest = self.times.latest(next_time, self.clock())
        if latest != next_time:
            self.log.write(f"{_shown(latest)}: stands for those since {_shown(next_time)}, which were missed")
        return None if self.stopped.is_set() else latest

    def _run(self, tick: Tick) -> None:
        if self.jitter and self.stopped.wait(random.uniform(0, self.jitter)):
            return
        start = time.monotonic()
        self.log.write(f"{_shown(tick.at)}: begins: {' '.join(self.command)}")
        code = self._finished(tick)
        self.runs += 1
        told = "ended well" if code == 0 else f"failed with exit code {code}" if code is not None else "did not end"
        self.log.write(f"{_shown(tick.at)}: {told} after {time.monotonic() - start:.0f} s")

    def _finished(self, tick: Tick) -> int | None:
        """Run the command of a tick; whatever goes wrong with it, the schedule goes on."""
        arguments = [sys.executable, "-m", "goodfit.scheduling.run", str(tick.folder), *self.command]
        try:
            with self.log.stream() as stream:
                nothing = subprocess.DEVNULL
                process = subprocess.Popen(
                    arguments, stdin=nothing, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
                )
        except OSError as error:
            self.log.write(f"{_shown(tick.at)}: could not be started: {error}")
            return None
        asked = 0.0
        while process.poll() is None:
            if self.stopped.wait(POLL) and not asked:
                asked = time.monotonic()
                _signal(process, signal.SIGTERM)
            elif asked:
                time.sleep(POLL)
                if time.monotonic() - asked > GRACE:
                    _signal(process, signal.SIGKILL)
        while tick.alive and not self.stopped.wait(POLL):
            pass  # a run that a killed scheduler has started came first
        return tick.code


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    """Reach the run and what it has started."""
    try:
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except ProcessLookupError:
        return


def _shown(moment: datetime) -> str:
    return moment.astimezone().isoformat(timespec="seconds")


def ticks_of(root: Path) -> Ticks:
    """Return the ticks of a workspace."""
    return Ticks(root / ".goodfit/schedule/ticks")
