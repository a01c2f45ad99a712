"""One retrain of a model at a time, also on two machines that share nothing but the tracking store.

A turn is a write-once note. It ends with another note, or is taken over when its owner is gone: on the same machine the
kernel knows at once; of another machine only its heartbeat tells, which is counted and watched on the watcher's own
clock, so that clocks which disagree do no harm. A turn saves work and keeps decisions in order; that two decisions
never contradict each other does not rest on it (see `succession`).
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from goodfit.errors import Fault, MachineError
from goodfit.stage import Owner, failpoint
from goodfit.tracking.repeating import steady
from goodfit.tracking.store import Outage, answering
from goodfit.tracking.write_once import Notes

BEAT = 10.0
"""Seconds between two heartbeats."""
SILENCE = 45.0
"""Seconds without a heartbeat after which an owner on another machine counts as dead."""
PULSE = "goodfit.pulse"
"""Tag of the run of notes: the turn and how often its owner has shown itself."""
TURN, END = "turn", "turn_end"


@contextmanager
def turn(notes: Notes, model: str, *, beat: float = BEAT, silence: float = SILENCE) -> Iterator[int]:
    """Hold the model's turn while the block runs; yield its number.

    Raises:
        MachineError: another live process has it.
        Outage: the store does not answer.
    """
    number = _taken(notes, model, silence)
    failpoint("turn.taken")  # K27: the turn is ours, nothing is done
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(notes, number, stop, beat), name="turn", daemon=True)
    thread.start()
    try:
        yield number
    finally:
        stop.set()
        thread.join(timeout=beat)
        with contextlib.suppress(Outage):  # the next one sees that we are gone
            notes.write(END, number, {})


def _taken(notes: Notes, model: str, silence: float) -> int:
    while True:
        turns = notes.read(TURN)
        latest = max(turns, default=0)
        if latest and latest not in notes.read(END):
            _refuse_if_alive(notes, model, latest, str(turns[latest].get("owner", "")), silence)
        if notes.write(TURN, latest + 1, {"owner": str(Owner.me())}):
            return latest + 1


def _refuse_if_alive(notes: Notes, model: str, number: int, text: str, silence: float) -> None:
    owner, me = Owner.parse(text), Owner.me()
    if owner is None or (owner.host == me.host and not owner.alive()):
        return
    if owner.host == me.host or _shows_itself(notes, number, silence):
        where = "" if owner.host == me.host else f" on {owner.host}"
        rule = f"is being retrained by process {owner.pid}{where}"
        raise MachineError([Fault(f"model '{model}'", rule, None, "Wait until it ends, or stop it.")])


def _shows_itself(notes: Notes, number: int, silence: float) -> bool:
    """Watch until the heartbeat changes, the turn ends, or long enough has passed without either."""
    seen, deadline = _pulse(notes), time.monotonic() + silence
    while time.monotonic() < deadline:
        time.sleep(min(1.0, silence / 10))
        if number in notes.read(END):
            return False
        if _pulse(notes) != seen:
            return True
    return False


def _pulse(notes: Notes) -> str:
    tags: dict[str, str] = steady(lambda: notes.client.get_run(notes.run_id)).data.tags
    return tags.get(PULSE, "")


def _beat(notes: Notes, number: int, stop: threading.Event, beat: float) -> None:
    count = 0
    while True:
        with contextlib.suppress(Exception), answering():  # a heartbeat that is lost is one beat late, no failure
            if max(notes.read(TURN), default=0) != number:
                return  # taken over
            notes.client.set_tag(notes.run_id, PULSE, f"{number}:{count}")
        count += 1
        if stop.wait(beat):
            return
