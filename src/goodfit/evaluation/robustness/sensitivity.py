"""How far a change of the rows moves the predictions, the decisions and the metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.evaluation.bootstrap import Resampling
from goodfit.metrics import METRICS


@dataclass(frozen=True)
class Moved:
    """What a change did.

    Args:
        value: the metric on the changed rows.
        difference, low, high: the metric on the changed rows minus on the rows as they are, with its paired interval.
        worse: whether the interval leaves out 0 on the side of harm.
        prediction: mean move of the prediction: total variation of the probabilities, or in target units.
        decisions: share of the rows with another class; NaN for regression.
    """

    value: float
    difference: float
    low: float
    high: float
    worse: bool
    prediction: float
    decisions: float


def moved(
    metric: str,
    target: NDArray[Any],
    before: NDArray[np.float64],
    after: Mapping[str, NDArray[np.float64]],
    decided: Any,
    resampling: Resampling,
) -> dict[str, Moved]:
    """Return what each change did.

    Args:
        metric: the one that is watched.
        target: class indices or values, [n].
        before: what was said of the rows as they are, [n, k] or [n].
        after: change to what was said then.
        decided: probabilities [n, k] to class indices [n].
        resampling: how rows are drawn anew, for all alike.
    """
    member = METRICS[metric]
    needed = decided if member.facts["needs"] == "classes" else lambda said: said
    figures = {name: member.cls().weighted(target, needed(said)) for name, said in after.items()}
    base = member.cls().weighted(target, needed(before))
    drawn = resampling.replicates(
        {**{("after", name): figure for name, figure in figures.items()}, ("as is", ""): base}
    )
    ones = np.ones((len(target), 1))
    start = float(base(ones)[0])
    worse_sign = 1 if member.facts["direction"] == "minimize" else -1
    found = {}
    for name, said in after.items():
        value = float(figures[name](ones)[0])
        low, high = resampling.interval(drawn["after", name] - drawn["as is", ""])
        worse = (low if worse_sign > 0 else -high) > 0
        moves = _distance(before, said), _flips(before, said, decided)
        found[name] = Moved(value, value - start, low, high, bool(worse), *moves)
    return found


def _distance(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    gap = np.abs(after - before)
    return float(gap.mean()) if gap.ndim == 1 else float(gap.sum(axis=1).mean() / 2)


def _flips(before: NDArray[np.float64], after: NDArray[np.float64], decided: Any) -> float:
    return float("nan") if before.ndim == 1 else float(np.mean(decided(before) != decided(after)))
