"""One run per tick: whoever is killed, however long a run takes, whatever it exits with."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from goodfit.scheduling import Scheduler, every, timetable
from goodfit.scheduling.journal import Log
from goodfit.scheduling.loop import ticks_of
from goodfit.scheduling.run import run

NOTE = (
    "import sys, time; f = open(sys.argv[1], 'a'); f.write('begin\\n'); f.flush(); time.sleep({0}); f.write('end\\n')"
)
SERVE = """
import sys
from pathlib import Path
from goodfit.scheduling import Scheduler, every
from goodfit.scheduling.journal import Log
from goodfit.scheduling.loop import ticks_of
root = Path(sys.argv[1])
Scheduler(every("1s"), sys.argv[2:], ticks_of(root), Log(root / "log")).serve()
"""


def noting(root: Path, seconds: float = 0.0) -> list[str]:
    return [sys.executable, "-S", "-c", NOTE.format(seconds), str(root / "runs")]


def noted(root: Path) -> list[str]:
    return (root / "runs").read_text().split() if (root / "runs").exists() else []


def scheduler(root: Path, command: list[str], text: str = "1s", **options: float) -> Scheduler:
    return Scheduler(every(text), command, ticks_of(root), Log(root / "log"), **options)


def served(made: Scheduler, runs: int, limit: float = 60) -> None:
    """Let a scheduler serve until it has made some runs."""
    thread = threading.Thread(target=made.serve)
    thread.start()
    deadline = time.monotonic() + limit
    while made.runs < runs and time.monotonic() < deadline:
        time.sleep(0.05)
    made.stop()
    thread.join(timeout=30)
    assert made.runs >= runs and not thread.is_alive()


def test_a_run_longer_than_the_interval_never_overlaps_and_missed_times_count_once(tmp_path: Path) -> None:
    served(scheduler(tmp_path, noting(tmp_path, 2.5)), 2)
    lines = noted(tmp_path)
    assert lines[:4] == ["begin", "end"] * 2, "two at a time"
    ticks = ticks_of(tmp_path).all()
    assert [tick.code for tick in ticks][:2] == [0, 0]
    assert ticks[1].at - ticks[0].at >= timedelta(seconds=2)
    assert "which were missed" in (tmp_path / "log").read_text()


def test_a_run_that_fails_or_cannot_be_started_does_not_end_the_schedule(tmp_path: Path) -> None:
    served(scheduler(tmp_path, [sys.executable, "-c", "raise SystemExit(3)"]), 2)
    assert "failed with exit code 3" in (tmp_path / "log").read_text()
    other = tmp_path / "other"
    served(scheduler(other, [str(tmp_path / "no such command")]), 2)
    assert "did not end" in (other / "log").read_text()


def started(root: Path, command: list[str], **environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", SERVE, str(root), *command], env=os.environ | environment)


@pytest.mark.parametrize(
    "moment", ["schedule.recorded:1:KILL", pytest.param("schedule.recorded:2:KILL", marks=pytest.mark.faults)]
)
def test_a_scheduler_killed_between_tick_and_run_makes_up_for_it_once(tmp_path: Path, moment: str) -> None:
    command = noting(tmp_path)
    with started(tmp_path, command, GOODFIT_TEST="1", GOODFIT_FAILPOINT=moment) as process:
        assert process.wait(60) == -signal.SIGKILL
    left = ticks_of(tmp_path).all()[-1]
    assert not left.taken
    made = scheduler(tmp_path, command)
    served(made, 2)
    ticks = [tick for tick in ticks_of(tmp_path).all() if tick.taken]
    assert left.at in [tick.at for tick in ticks]
    assert noted(tmp_path).count("begin") == len(ticks), "one run for each tick"
    assert "was due and never begun" in (tmp_path / "log").read_text()


def test_a_run_goes_on_when_the_scheduler_is_killed_and_is_not_run_again(tmp_path: Path) -> None:
    command = noting(tmp_path, 3)
    with started(tmp_path, command) as process:
        while not noted(tmp_path):
            time.sleep(0.05)
        process.kill()
    (tick,) = ticks_of(tmp_path).all()
    assert tick.alive
    served(scheduler(tmp_path, command, "1d"), 0)
    while tick.alive:
        time.sleep(0.05)
    assert noted(tmp_path) == ["begin", "end"]
    assert tick.code == 0


def test_a_run_that_was_killed_is_not_run_again(tmp_path: Path) -> None:
    command = noting(tmp_path)
    tick = ticks_of(tmp_path).record(datetime.now(UTC) - timedelta(hours=1))
    arguments = [sys.executable, "-m", "goodfit.scheduling.run", str(tick.folder), *command]
    environment = os.environ | {"GOODFIT_TEST": "1", "GOODFIT_FAILPOINT": "schedule.taken:KILL"}
    assert subprocess.run(arguments, env=environment, check=False).returncode == -signal.SIGKILL
    assert (tick.taken, tick.alive, tick.code) == (True, False, None)
    made = scheduler(tmp_path, command, "1d")
    made.clock = lambda: datetime.now(UTC).replace(hour=12)
    made.stop()
    made.serve()
    assert noted(tmp_path) == []


def test_of_many_that_take_a_tick_one_does(tmp_path: Path) -> None:
    tick = ticks_of(tmp_path).record(datetime.now(UTC))
    barrier = threading.Barrier(8)

    def take(_: int) -> bool:
        barrier.wait()
        return tick.take()

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, range(8)))
    assert taken.count(True) == 1


def test_missed_while_down_is_made_up_for_by_one_run(tmp_path: Path) -> None:
    ticks = ticks_of(tmp_path)
    old = ticks.record(datetime.now(UTC).replace(microsecond=0) - timedelta(days=2))
    old.take()
    old.finish(0)
    made = scheduler(tmp_path, noting(tmp_path), "6h")
    served(made, 1)
    assert noted(tmp_path) == ["begin", "end"]
    assert len(ticks.all()) == 2
    assert datetime.now(UTC) - ticks.all()[-1].at < timedelta(hours=6)


def test_a_clock_that_is_set_back_runs_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hour comes twice; its tick has been taken."""
    monkeypatch.setattr("goodfit.scheduling.loop.LOOK", 0.02)
    now = [datetime(2026, 5, 1, 11, 59, 59, tzinfo=UTC)]
    table, ticks, log = timetable("0 * * * *", "UTC"), ticks_of(tmp_path), Log(tmp_path / "log")
    made = Scheduler(table, noting(tmp_path), ticks, log, clock=lambda: now[0])
    thread = threading.Thread(target=made.serve)
    thread.start()
    time.sleep(0.1)
    for hour, minute, runs in ((12, 0, 1), (11, 50, 1), (12, 1, 1), (13, 0, 2)):
        now[0] = now[0].replace(hour=hour, minute=minute, second=30)
        deadline = time.monotonic() + 30
        while made.runs < runs and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.1)
        assert made.runs == runs
    made.stop()
    thread.join(30)
    again = Scheduler(table, noting(tmp_path), ticks, log, clock=lambda: now[0])
    now[0] = now[0].replace(hour=11, minute=59)
    thread = threading.Thread(target=again.serve)
    thread.start()
    time.sleep(0.1)
    now[0] = now[0].replace(hour=13, minute=30)
    time.sleep(0.3)
    again.stop()
    thread.join(30)
    assert [tick.at.hour for tick in ticks.all()] == [12, 13]
    assert noted(tmp_path).count("begin") == 2


def test_jitter_delays_and_the_stop_is_heard_meanwhile(tmp_path: Path) -> None:
    made = scheduler(tmp_path, noting(tmp_path), jitter=3600.0)
    thread = threading.Thread(target=made.serve)
    thread.start()
    while not ticks_of(tmp_path).all():
        time.sleep(0.05)
    made.stop()
    thread.join(timeout=10)
    assert not thread.is_alive() and noted(tmp_path) == []


def test_old_ticks_and_logs_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goodfit.scheduling.ticks.KEPT", 5)
    ticks = ticks_of(tmp_path)
    for number in range(9):
        ticks.record(datetime(2026, 1, 1, number, tzinfo=UTC))
    assert [tick.at.hour for tick in ticks.all()] == [4, 5, 6, 7, 8]
    log = Log(tmp_path / "log", most=100)
    for _ in range(20):
        log.write("x" * 50)
        log.stream().close()
    assert sorted(path.name for path in tmp_path.glob("log*")) == ["log", "log.1"]
    assert (tmp_path / "log").stat().st_size < 300


def test_a_tick_is_run_by_one_process_in_this_one_too(tmp_path: Path) -> None:
    tick = ticks_of(tmp_path).record(datetime.now(UTC))
    assert run(tick, noting(tmp_path)) == 0
    assert run(tick, noting(tmp_path)) == 0
    assert noted(tmp_path) == ["begin", "end"]


def test_the_command_ends_cleanly_on_sigterm_and_takes_its_run_along(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("seed: 1\n")
    command = [sys.executable, "-m", "goodfit", "schedule", "--every", "1s"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while not (ticks := ticks_of(tmp_path).all()) or not ticks[0].taken:
            time.sleep(0.05)
        second = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert second.returncode == 4 and "is running in this workspace" in second.stderr
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in told) == (0, False)
    assert "schedule: ended" in told
    assert not any(tick.alive for tick in ticks_of(tmp_path).all())
