"""See a search from outside: read its journal without touching it."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from goodfit.stage import Owner
from goodfit.tuning.budget import seconds_left
from goodfit.tuning.journal import read_events
from goodfit.tuning.ledger import Record
from goodfit.tuning.result import best_of
from goodfit.tuning.search import JOURNAL

STATES = Path(".goodfit/state/tune")
KEPT = Path("reports/search/journal.jsonl")
LEASE = Path(".goodfit/lease")


@dataclass(frozen=True)
class Status:
    """How a search stands.

    Args:
        state: running; dead (its process is gone; the next dvc repro goes on with it); or finished.
        trials: how many are wanted.
        done: completed or pruned.
        complete, pruned, failed, training: how many are in each state; `training` have been proposed and not ended.
        rescored: second looks so far.
        best, best_trial: the lowest objective of a completed trial, and its number.
        seconds: of searching, until its last sign of life.
        trials_per_minute: over that time.
        seconds_left: about (see `goodfit.tuning.budget.seconds_left`); None while nothing tells, 0 when it is finished.
        process: the process that searches, None when it is gone.
        journal: where this was read.
    """

    state: str
    trials: int
    done: int
    complete: int
    pruned: int
    failed: int
    training: int
    rescored: int
    best: float | None
    best_trial: int | None
    seconds: float
    trials_per_minute: float
    seconds_left: float | None
    process: int | None
    journal: str

    def to_dict(self) -> dict[str, Any]:
        """Return the status as JSON-able values."""
        return asdict(self)


def journal_of(root: Path) -> Path | None:
    """Return the journal that was written last, of a search that was finished or of one that was not; None without any.

    A search that was given up for another one, by an edit of params.yaml, stays where it is, should the edit be undone.
    """
    found = []
    for path in [*(root / STATES).glob(f"*/{JOURNAL}"), root / KEPT]:
        with suppress(FileNotFoundError):  # a search that comes to its end takes its own away
            found.append((path.stat().st_mtime_ns, path))
    return max(found)[1] if found else None


def read_record(journal: Path) -> Record:
    """Return what a journal says, as far as it is whole."""
    return Record(read_events(journal))


def status_of(root: Path) -> Status | None:
    """Return how the latest search of a workspace stands; None when there was none."""
    while (journal := journal_of(root)) is not None:
        with suppress(FileNotFoundError):
            return _read(root, journal)
    return None


def _read(root: Path, journal: Path) -> Status:
    record = read_record(journal)
    process = _process(root / LEASE)
    state = "finished" if journal == root / KEPT else "running" if process is not None else "dead"
    return _status(record, state, None if state == "finished" else process, str(journal.relative_to(root)))


def _status(record: Record, state: str, process: int | None, journal: str) -> Status:
    trials, best = record.trials, best_of(record.trials)
    counts = {name: sum(trial.state == name for trial in trials) for name in ("COMPLETE", "PRUNED", "FAIL")}
    wanted, rate = int(record.budget["trials"]), record.counted / record.spent if record.spent else 0.0
    left = 0.0 if state == "finished" else seconds_left(record, record.spent)
    return Status(
        state=state,
        trials=wanted,
        done=record.counted,
        complete=counts["COMPLETE"],
        pruned=counts["PRUNED"],
        failed=counts["FAIL"],
        training=record.training,
        rescored=len(record.rescored),
        best=best.value if best else None,
        best_trial=best.number if best else None,
        seconds=round(record.spent, 3),
        trials_per_minute=round(60 * rate, 3),
        seconds_left=None if left is None else round(left, 1),
        process=process,
        journal=journal,
    )


def _process(lease: Path) -> int | None:
    """Return the living process that holds the workspace for the stage `tune`."""
    if not lease.exists():
        return None
    name, _, rest = lease.read_text(errors="replace").partition("\n")
    owner = Owner.parse(rest.strip())
    return owner.pid if name == "tune" and owner is not None and owner.alive() else None
