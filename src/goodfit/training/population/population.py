"""Many members at once. For now: the protocol, with members trained one after the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from goodfit.errors import ConfigurationError, DataError
from goodfit.training.fit import fit
from goodfit.training.population.candidate import Candidate, Finished, Judge
from goodfit.training.recipe import Epoch, Fitted


def fit_population(
    candidates: Sequence[Candidate],
    *,
    state: Path | None,
    judge: Judge | None = None,
    on_epoch: Callable[[int, Epoch], None] | None = None,
) -> Iterator[Finished]:
    """Train every candidate; yield each as soon as it is done.

    Args:
        candidates: what to train.
        state: folder for checkpoints, or None; it must belong to these candidates alone.
        judge: says after each epoch who stops.
        on_epoch: called with a candidate's number and its epoch, before that candidate is yielded.
    """
    fits: dict[int, Fitted] = {}
    for candidate in candidates:
        folder = state / str(candidate.number) if state is not None else None
        try:
            fits[candidate.number] = fit(
                candidate.recipe, candidate.data, seed=candidate.seed, state=folder, progress=False
            )
        except (ConfigurationError, DataError) as error:
            yield Finished(candidate.number, "FAIL", None, str(error))
    yield from _judged(fits, judge, on_epoch)


def _judged(
    fits: dict[int, Fitted], judge: Judge | None, on_epoch: Callable[[int, Epoch], None] | None
) -> Iterator[Finished]:
    living, number = dict(fits), 0
    while living:
        number += 1
        for key, fitted in living.items():
            if on_epoch is not None:
                on_epoch(key, fitted.epochs[number - 1])
        losses = {key: fitted.epochs[number - 1].metrics["valid/loss"] for key, fitted in living.items()}
        stopped = set(judge(number, losses)) if judge is not None else set()
        for key, fitted in list(living.items()):
            if number == len(fitted.epochs):
                yield Finished(key, "COMPLETE", living.pop(key))
            elif key in stopped:
                yield Finished(key, "PRUNED", replace(living.pop(key), epochs=fitted.epochs[:number]))
