"""Run a batch of proposals and record each outcome as it comes."""

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from goodfit.errors import MachineError, ServiceError
from goodfit.files import remove, write_text
from goodfit.stage import failpoint
from goodfit.tuning.batch import Batch
from goodfit.tuning.ledger import Ledger
from goodfit.tuning.trial import Outcome, Paused, Proposal, Trial, finished

RunBatch = Callable[[Batch], Iterable[Outcome | Paused]]
"""Runs the proposals of a batch that it owes and yields their outcomes, in any order; where the batch may pause, Paused
for those that go on beside the next one."""

ENVIRONMENT = (OSError, MachineError, ServiceError)
"""Errors that say nothing about a trial's settings: they end the search, and its trial is run again by the next one."""


def one_by_one(run: Callable[[Proposal], Outcome]) -> RunBatch:
    """Return a `run_batch` that runs one proposal after the other; a trial that raises fails alone."""

    def run_batch(owed: Iterable[Proposal]) -> Iterator[Outcome]:
        for proposal in owed:
            yield _attempt(run, proposal)

    return run_batch


def run_recorded(
    batch: Batch, run_batch: RunBatch, ledger: Ledger, failures: Path, against: str | None = None
) -> Iterator[Trial]:
    """Run a batch; yield each finished trial after its outcome is in the ledger.

    Args:
        batch: the ledger's, some outcomes of which lack.
        run_batch: see `search`.
        ledger: where outcomes are recorded.
        failures: folder for a file on each failed trial.
        against: the figure that is the second objective, if there is one.
    """
    owed = {proposal.number: proposal for proposal in batch}
    for found in _outcomes(batch, run_batch, owed):
        outcome = found.so_far if isinstance(found, Paused) else found
        if outcome.number not in owed:
            raise RuntimeError(f"run_batch yielded trial {outcome.number}, which it did not owe: {sorted(owed)}")
        failpoint("search.trial_done")  # the trial has run, its outcome is not recorded
        trial = finished(owed.pop(outcome.number), outcome, against)
        if isinstance(found, Paused) and batch.may_pause and trial.state == "PRUNED":
            ledger.pause(trial)
            failpoint("search.paused")  # how far it has come is recorded, no batch to go on beside is
            continue
        if trial.state == "FAIL":
            _keep_failure(trial, failures)
        ledger.tell(trial)
        failpoint("search.told")  # the outcome is recorded, nobody else knows it
        yield trial


def sweep(failures: Path) -> None:
    """Remove what a process that was killed while writing left half done."""
    for path in failures.glob(".*.tmp"):
        remove(path)


def _attempt(run: Callable[[Proposal], Outcome], proposal: Proposal) -> Outcome:
    began = time.monotonic()
    try:
        return run(proposal)
    except ENVIRONMENT:
        raise
    except Exception:
        seconds = time.monotonic() - began
        return Outcome(proposal.number, "FAIL", duration_s=seconds, error=traceback.format_exc())


def _outcomes(batch: Batch, run_batch: RunBatch, owed: Mapping[int, Proposal]) -> Iterator[Outcome | Paused]:
    """Yield what the batch yields, then a failure for each proposal that it still owes."""
    error = "run_batch yielded no outcome for this trial"
    try:
        yield from run_batch(batch)
    except ENVIRONMENT:
        raise
    except Exception:
        error = traceback.format_exc()
    for number in list(owed):
        yield Outcome(number, "FAIL", error=error)


def _keep_failure(trial: Trial, failures: Path) -> None:
    settings = "".join(f"{name}: {value}\n" for name, value in trial.params.items())
    write_text(failures / f"{trial.number}.txt", f"{settings}seed: {trial.seed}\n\n{trial.error}\n")
