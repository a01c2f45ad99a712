"""Search for the best settings: ask, run, tell, until enough trials have finished.

The loop knows nothing of how a batch is run. Everything it must remember is in its journal before it acts on it, so
that a process killed at any point is followed by one that goes on where it was, with the result of an undisturbed one.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from goodfit.errors import Fault, GoodfitError
from goodfit.stage import failpoint
from goodfit.tuning.ledger import Ledger
from goodfit.tuning.progress import Progress
from goodfit.tuning.result import SearchResult, best_of, edge_notes
from goodfit.tuning.running import RunBatch, run_recorded, sweep
from goodfit.tuning.sampler import VERSION, Sampler
from goodfit.tuning.section import TuneSection
from goodfit.tuning.space import Space
from goodfit.tuning.trial import Proposal, Trial

OnTrial = Callable[[Trial], None]
DIRECTION = "minimize"


def search(
    section: TuneSection,
    space: Space,
    seed: int,
    state: Path,
    run_batch: RunBatch,
    on_trial: OnTrial | None = None,
    *,
    progress: bool = True,
) -> SearchResult:
    """Run trials until `section.trials` have finished, or time is up, going on from what `state` holds.

    Args:
        section: the `tune` section.
        space: the space it describes, resolved.
        seed: the project's; with the number of a trial it decides everything random in that trial.
        state: the stage's folder of resumable state, keyed by everything that determines the result.
        run_batch: runs proposals and yields their outcomes, in any order. An exception out of it fails the proposals it
            still owed, except for Interrupted, KeyboardInterrupt, SystemExit, OSError, MachineError and ServiceError:
            those end the search, and a later one runs the same proposals again.
        on_trial: called for every finished trial once in each call of `search`, those of earlier processes first.
        progress: whether to show it.

    Raises:
        GoodfitError: more than `section.max_failures` trials failed, or none completed.
        ServiceError: the journal cannot be used, or belongs to another search.
    """
    failpoint("search.before_study")  # nothing of the search is on disk
    if section.trials == 0:
        return SearchResult(space)
    told = on_trial or (lambda trial: None)
    with Ledger(state / "trials.jsonl", _identity(section, space, seed), f"optuna {VERSION}") as ledger:
        sweep(state / "failures")
        for trial in ledger.trials:
            told(trial)
        with Progress(section, ledger, progress) as shown:
            sampler = Sampler(section, space, seed)
            while batch := ledger.pending or _asked(section, ledger, sampler, state):
                for trial in run_recorded(batch, run_batch, ledger, state / "failures"):
                    shown.show(trial)
                    told(trial)
        failpoint("search.all_done")  # every trial has finished, nothing is made of them yet
        return _result(section, space, ledger, state)


def _asked(section: TuneSection, ledger: Ledger, sampler: Sampler, state: Path) -> list[Proposal]:
    """Propose and record the next batch; nothing when enough trials have finished or time is up."""
    trials = ledger.trials
    count = min(section.batch, section.trials - ledger.counted)
    late = section.timeout is not None and ledger.seconds >= section.timeout
    if count <= 0 or (late and best_of(trials)):
        return []
    if ledger.failures > section.max_failures:
        ledger.give_up()
        raise _too_many_failures(trials, section.max_failures, state)
    proposals = sampler.propose(trials, count)
    ledger.ask(proposals)
    failpoint("search.asked")  # the batch is recorded, nothing of it has run
    return proposals


def _too_many_failures(trials: Sequence[Trial], allowed: int, state: Path) -> GoodfitError:
    failed = [trial for trial in trials if trial.state == "FAIL"]
    reasons = Counter(trial.error.strip().rpartition("\n")[2] for trial in failed)
    reason, times = reasons.most_common(1)[0]
    rule = f"{len(failed)} of {len(trials)} trials failed, more than {allowed} in this attempt; {times} with: {reason}"
    remedy = f"Read {state / 'failures'}, narrow tune.space or raise tune.max_failures, then run again."
    return GoodfitError([Fault("tune", rule, None, remedy)])


def _result(section: TuneSection, space: Space, ledger: Ledger, state: Path) -> SearchResult:
    trials = ledger.trials
    best = best_of(trials)
    if best is None:
        rule = f"none of {len(trials)} trials completed: all were pruned or failed"
        remedy = f"Let trials run longer before they are pruned; failures are in {state / 'failures'}."
        raise GoodfitError([Fault("tune", rule, None, remedy)])
    return SearchResult(space, tuple(trials), ledger.seconds, tuple(_notes(section, space, ledger, best)))


def _notes(section: TuneSection, space: Space, ledger: Ledger, best: Trial) -> Iterator[str]:
    yield from edge_notes(space, best.params)
    if ledger.counted < section.trials:
        yield f"time was up after {ledger.counted} of {section.trials} trials (tune.timeout {section.timeout:g} s)."
    if failed := len(ledger.trials) - ledger.counted:
        yield f"{failed} of {len(ledger.trials)} trials failed and were replaced."
    if ledger.made_with != f"optuna {VERSION}":
        yield f"the search began with {ledger.made_with} and went on with optuna {VERSION}: another run may differ."


def _identity(section: TuneSection, space: Space, seed: int) -> dict[str, Any]:
    chosen = {name: getattr(section, name) for name in ("sampler", "startup_trials", "batch", "objective")}
    return {"direction": DIRECTION, "seed": seed, "space": space.identity(), **chosen}
