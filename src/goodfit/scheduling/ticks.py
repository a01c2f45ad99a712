"""Ticks on disk: what was due, who has taken it, and what came of it. A tick is run once, whoever is killed when.

A tick is a folder named by its time. `due` is written by the scheduler. The run itself takes it, by making `taken`,
which only one process can; then it works; then it writes `done`. A scheduler that starts finds ticks that are due and
not taken, and starts them; one that was taken is never started again, for its run has begun.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from goodfit.files import flush, read_json, remove, write_json, write_text
from goodfit.stage import Owner

FORM = "%Y%m%dT%H%M%SZ"
KEPT = 400
"""Ticks whose folders are kept."""


@dataclass(frozen=True)
class Tick:
    """One time at which a run is due.

    Args:
        at: the time, in UTC.
        folder: of the tick.
    """

    at: datetime
    folder: Path

    @property
    def taken(self) -> bool:
        """Whether a run has begun."""
        return (self.folder / "taken").exists()

    @property
    def done(self) -> bool:
        """Whether a run has ended by itself."""
        return (self.folder / "done").exists()

    @property
    def alive(self) -> bool:
        """Whether a run goes on."""
        if self.done or not self.taken:
            return False
        owner = Owner.parse((self.folder / "taken").read_text(errors="replace"))
        return owner is not None and owner.alive()

    @property
    def code(self) -> int | None:
        """The exit code of its run, None where it did not end by itself."""
        try:
            return int(read_json(self.folder / "done")["code"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def take(self) -> bool:
        """Take the tick for this process; False if another one has."""
        mine = self.folder / f"owner-{uuid4().hex}"
        write_text(mine, str(Owner.me()))
        try:
            os.link(mine, self.folder / "taken")  # with its content, and only where there is none
        except FileExistsError:
            return False
        finally:
            remove(mine)
        flush(self.folder)
        return True

    def finish(self, code: int) -> None:
        """Note how its run ended."""
        write_json(self.folder / "done", {"code": code, "at": _text(datetime.now(UTC))})


class Ticks:
    """The ticks of a workspace.

    Args:
        folder: where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Tick]:
        """Return the ticks that are known, the first first."""
        found = []
        for path in sorted(self.folder.glob("*Z")):
            try:
                at = datetime.strptime(path.name, FORM).replace(tzinfo=UTC)
            except ValueError:
                continue
            if (path / "due").exists():
                found.append(Tick(at, path))
        return found

    def at(self, moment: datetime) -> Tick:
        """Return the tick of a time, whether it is known or not."""
        return Tick(moment, self.folder / _text(moment))

    def record(self, moment: datetime) -> Tick:
        """Write down that a run is due; a tick is written down once."""
        tick = self.at(moment)
        tick.folder.mkdir(parents=True, exist_ok=True)
        write_json(tick.folder / "due", {"at": _text(moment)})
        for old in self.all()[:-KEPT]:
            if not old.alive:
                remove(old.folder)
        return tick


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(FORM)
