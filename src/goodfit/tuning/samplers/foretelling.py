"""What trials that ended early would have come to, for samplers that learn from values alone."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

from goodfit.tuning.trial import Trial

Scale = Callable[[float], float]


def foretold(trials: Sequence[Trial]) -> list[Trial]:
    """Return trials as if every pruned one had completed, with values on the scale on which they are compared.

    From the epoch at which it was pruned to the next at which any was, and so on to the end, a trial is taken to go on
    as the median of those did that were not pruned there. So one that lost an early rung by little counts as about as
    good as those that stayed. Steps are proportions, and values become logarithms; where a value is not positive, steps
    are differences and values stay. Trials without a value stay as they are.
    """
    known = [trial for trial in trials if trial.value is not None]
    scale: Scale = math.log if all(min([_value(trial), *trial.judged]) > 0 for trial in known) else float
    ends = sorted({trial.epochs for trial in known if trial.state == "PRUNED"}, reverse=True)
    ahead: dict[int, float] = {}
    for end, later in zip(ends, [None, *ends], strict=False):
        ahead[end] = _step(known, end, later, scale) + (ahead[later] if later else 0.0)
    return [_told(trial, ahead, scale) if trial.value is not None else trial for trial in trials]


def _told(trial: Trial, ahead: dict[int, float], scale: Scale) -> Trial:
    more = ahead[trial.epochs] if trial.state == "PRUNED" else 0.0
    return replace(trial, state="COMPLETE", value=scale(_value(trial)) + more)


def _step(trials: Sequence[Trial], end: int, later: int | None, scale: Scale) -> float:
    """Return the median step from an epoch to a later one, None: to the last; 0 where nobody went on from there."""
    steps = [
        scale(min(trial.judged[:later]) if later else _value(trial)) - scale(min(trial.judged[:end]))
        for trial in trials
        if trial.judged and trial.epochs > end and _came_to(trial, later)
    ]
    return statistics.median(steps) if steps else 0.0


def _came_to(trial: Trial, epoch: int | None) -> bool:
    return trial.state == "COMPLETE" or (epoch is not None and trial.epochs >= epoch)


def _value(trial: Trial) -> float:
    assert trial.value is not None
    return trial.value
