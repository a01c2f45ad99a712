"""Search for the best settings: ask, run, tell, until enough trials have finished; then look twice at the best.

The loop knows nothing of how a batch is run. Everything it must remember is in its journal before it acts on it, so
that a process killed at any point is followed by one that goes on where it was, with the result of an undisturbed one.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from goodfit.errors import Fault, GoodfitError
from goodfit.stage import failpoint
from goodfit.tuning.axes import Space
from goodfit.tuning.batch import Batch
from goodfit.tuning.budget import affords_second_look, spent
from goodfit.tuning.ledger import Ledger
from goodfit.tuning.progress import Progress
from goodfit.tuning.proposing import Proposer, second_looks
from goodfit.tuning.result import SearchResult, best_of, edge_notes, ranked
from goodfit.tuning.running import RunBatch, run_recorded, sweep
from goodfit.tuning.samplers.study import VERSION
from goodfit.tuning.section import BATCH, TuneSection
from goodfit.tuning.starts import Start
from goodfit.tuning.trial import Proposal, Trial

OnTrial = Callable[[Trial], None]
DIRECTION = "minimize"
JOURNAL = "trials.jsonl"


def search(
    section: TuneSection,
    space: Space,
    seed: int,
    state: Path,
    run_batch: RunBatch,
    on_trial: OnTrial | None = None,
    *,
    starts: Sequence[Start] = (),
    progress: bool = True,
) -> SearchResult:
    """Run trials until `section.trials` have finished, or the budget is spent, going on from what `state` holds.

    Args:
        section: the `tune` section.
        space: the space it describes, resolved.
        seed: the project's; with the number of a trial it decides everything random in that trial.
        state: the stage's folder of resumable state, keyed by everything that determines the result.
        run_batch: runs proposals and yields their outcomes, in any order. An exception out of it fails the proposals it
            still owed, except for Interrupted, KeyboardInterrupt, SystemExit, OSError, MachineError and ServiceError:
            those end the search, and a later one runs the same proposals again.
        on_trial: called for every finished trial once in each call of `search`, those of earlier processes first.
        starts: settings to begin with, inside the space.
        progress: whether to show it.

    Raises:
        GoodfitError: more than `section.max_failures` trials failed, or none completed.
        ServiceError: the journal cannot be used, or belongs to another search.
    """
    failpoint("search.before_study")  # nothing of the search is on disk
    if section.trials == 0:
        return SearchResult(space)
    told = on_trial or (lambda trial: None)
    proposer = Proposer(section, space, seed, starts)
    identity = _identity(section, space, seed, starts)
    with Ledger(state / JOURNAL, identity, f"optuna {VERSION}", _budget(section)) as ledger:
        sweep(state / "failures")
        for trial in [*ledger.trials, *ledger.rescored]:
            told(trial)
        with Progress(section, ledger, progress) as shown:
            while (
                batch := ledger.batch or _asked(section, ledger, proposer, state) or _second_look(section, ledger, seed)
            ):
                for trial in run_recorded(batch, run_batch, ledger, state / "failures", section.against):
                    shown.show(trial)
                    told(trial)
        failpoint("search.all_done")  # every trial has finished, nothing is made of them yet
        return _result(section, space, ledger, state)


def _asked(section: TuneSection, ledger: Ledger, proposer: Proposer, state: Path) -> Batch | None:
    """Record the next batch, of new proposals and of what is paused; nothing when there is neither."""
    begun = ledger.counted + len(ledger.paused)
    proposals = _proposed(section, ledger, proposer, section.trials - begun, state)
    if not proposals and not ledger.paused:
        return None
    more = section.trials > begun + len(proposals)
    ledger.ask(proposals, bool(proposals) and more and not section.weighs)
    failpoint("search.asked")  # the batch is recorded, nothing of it has run
    return ledger.batch


def _proposed(section: TuneSection, ledger: Ledger, proposer: Proposer, wanted: int, state: Path) -> list[Proposal]:
    """Return new proposals; none when enough trials are under way or the budget is spent."""
    going = ledger.paused or best_of(ledger.trials)
    if wanted <= 0 or ledger.rescored or (spent(section, ledger) and going):
        return []
    if ledger.failures > section.max_failures:
        ledger.give_up()
        raise _too_many_failures(ledger.trials, section.max_failures, state)
    known = sorted([*ledger.trials, *ledger.paused], key=lambda trial: trial.number)
    return proposer.propose(known, min(section.batch or BATCH, wanted))


def _second_look(section: TuneSection, ledger: Ledger, seed: int) -> Batch | None:
    """Propose and record the next batch of second looks at the best trials; nothing when all were taken."""
    top = ranked(ledger.trials)[: section.rescore.top]
    done = len(ledger.rescored)
    if not top or (not done and not affords_second_look(section, ledger)):
        return None
    proposals = second_looks(top, section.rescore.seeds, seed, len(ledger.trials))[
        done : done + (section.batch or BATCH)
    ]
    if not proposals:
        return None
    ledger.ask(proposals)
    failpoint("search.asked")
    return ledger.batch


def _too_many_failures(trials: Sequence[Trial], allowed: int, state: Path) -> GoodfitError:
    failed = [trial for trial in trials if trial.state == "FAIL"]
    reasons = Counter(trial.error.strip().rpartition("\n")[2] for trial in failed)
    reason, times = reasons.most_common(1)[0]
    rule = f"{len(failed)} of {len(trials)} trials failed, more than {allowed} in this attempt; {times} with: {reason}"
    remedy = (
        f"Read {state / 'failures'}. Run again to go on, with {allowed} more that may fail; to narrow tune.space or "
        f"to raise tune.max_failures begins a new search."
    )
    return GoodfitError([Fault("tune", rule, None, remedy)])


def _result(section: TuneSection, space: Space, ledger: Ledger, state: Path) -> SearchResult:
    trials = ledger.trials
    tolerance = section.tolerance if section.against else None
    second = tuple(ledger.rescored)
    result = SearchResult(space, tuple(trials), ledger.seconds, (), second, tolerance, section.against)
    if result.best_trial is None:
        rule = f"none of {len(trials)} trials completed: all were pruned or failed"
        remedy = f"Let trials run longer before they are pruned; failures are in {state / 'failures'}."
        raise GoodfitError([Fault("tune", rule, None, remedy)])
    return result.noting(_notes(section, space, ledger, result.best_trial))


def _notes(section: TuneSection, space: Space, ledger: Ledger, best: Trial) -> Iterator[str]:
    yield from edge_notes(space, best.params)
    lowest = best_of(ledger.trials)
    if section.against and lowest and lowest.number != best.number:
        yield (
            f"trial {best.number} is chosen for its {section.against} of {best.against:.4g}, with {section.objective} "
            f"{best.value:.4f}; the lowest was {lowest.value:.4f} of trial {lowest.number}, with {lowest.against:.4g}."
        )
    if ledger.counted < section.trials:
        yield _ended_early(section, ledger)
    if failed := len(ledger.trials) - ledger.counted:
        yield f"{failed} of {len(ledger.trials)} trials failed and were replaced."
    if looks := _missed_looks(section, ledger):
        yield f"the best trials were {looks}: the budget did not allow it (tune.rescore)."
    if ledger.made_with != f"optuna {VERSION}":
        yield f"the search began with {ledger.made_with} and went on with optuna {VERSION}: another run may differ."


def _missed_looks(section: TuneSection, ledger: Ledger) -> str:
    """Return how many second looks the budget left of those that were wanted; nothing where it left all."""
    wanted = len(ranked(ledger.trials)[: section.rescore.top]) * section.rescore.seeds
    whole = sum(look.state != "PRUNED" for look in ledger.rescored)
    if whole == wanted:
        return ""
    if not ledger.rescored:
        return "not trained again"
    return f"trained again {whole} times to the end, not {wanted}, and only who was each time counts"


def _ended_early(section: TuneSection, ledger: Ledger) -> str:
    counted = f"after {ledger.counted} of {section.trials} trials"
    if section.epochs is not None and ledger.record.epochs >= section.epochs * 0.9:
        return f"the epochs were used up {counted} (tune.epochs {section.epochs})."
    if section.timeout is not None and ledger.seconds >= section.timeout:
        return f"time was up {counted} (tune.timeout {section.timeout:g} s)."
    return f"the sampler had nothing left to propose {counted}."


def _budget(section: TuneSection) -> dict[str, Any]:
    named = {name: getattr(section, name) for name in ("trials", "timeout", "epochs", "objective", "looks")}
    return {**named, "folds": max(1, section.folds)}


def _identity(section: TuneSection, space: Space, seed: int, starts: Sequence[Start]) -> dict[str, Any]:
    names = ("startup_trials", "batch", "folds", "seeds", "objective", "against")
    parts = {name: getattr(section, name).model_dump() for name in ("sampler", "pruner", "rescore")}
    chosen = {name: getattr(section, name) for name in names}
    begun = [start.settings for start in starts]
    return {"direction": DIRECTION, "seed": seed, "space": space.identity(), **parts, **chosen, "starts": begun}
