"""One figure with its interval, and the difference of two."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from goodfit.evaluation.bootstrap import Resampling, group_codes
from goodfit.evaluation.intervals import Sample
from goodfit.evaluation.stretches import Stretches
from goodfit.metrics import METRICS
from goodfit.metrics.base import Direction

Finding = Literal["better", "worse", "undecided"]


@dataclass(frozen=True)
class Estimate:
    """A metric's value and its interval; all three are NaN where the metric is undefined."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Return value, low and high; null where undefined."""
        return {"value": finite(self.value), "low": finite(self.low), "high": finite(self.high)}


@dataclass(frozen=True)
class Comparison:
    """How prediction a does beside prediction b on the same rows.

    Args:
        difference: metric of a minus metric of b, in the metric's units.
        low, high: its paired bootstrap interval.
        probability_better: share of the resamples on which a is better, ties counting half.
        finding: `better` or `worse` where the interval leaves 0 out, else `undecided`.
    """

    difference: float
    low: float
    high: float
    probability_better: float
    finding: Finding

    def to_dict(self) -> dict[str, Any]:
        """Return the fields; null where undefined."""
        figures = {name: finite(getattr(self, name)) for name in ("difference", "low", "high", "probability_better")}
        return {**figures, "finding": self.finding}


def compare(
    metric: str,
    target: NDArray[Any],
    prediction_a: NDArray[Any],
    prediction_b: NDArray[Any],
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    groups: NDArray[Any] | None = None,
    stretches: Stretches | None = None,
) -> Comparison:
    """Compare two predictions of the same n rows by a paired bootstrap.

    Args:
        metric: name of a metric; the predictions are what it needs (probabilities [n, k], classes [n] or values [n]).
        target: class indices or values, [n].
        groups: group of each row [n]; rows of a group are drawn together.
        stretches: the rows' order in time; rows that follow each other are drawn together.
    """
    member = METRICS[metric]
    figures = {"a": member.cls().weighted(target, prediction_a), "b": member.cls().weighted(target, prediction_b)}
    resampling = Resampling(len(target), resamples, level, seed, group_codes(groups), stretches)
    samples = resampling.samples(figures)
    return compared(samples["a"] - samples["b"], member.facts["direction"], resampling)


def compared(difference: Sample, direction: Direction, resampling: Resampling) -> Comparison:
    """Return the comparison that the sample of a difference amounts to."""
    low, high = resampling.bounds(difference)
    gain = difference.replicates[np.isfinite(difference.replicates)] * (1 if direction == "maximize" else -1)
    probability = float(np.mean((gain > 0) + 0.5 * (gain == 0))) if len(gain) and math.isfinite(low) else math.nan
    return Comparison(difference.value, low, high, probability, _finding(low, high, direction))


def finite(value: float) -> float | None:
    """Return the value, or None if it is not finite: JSON has no NaN."""
    return float(value) if math.isfinite(value) else None


def _finding(low: float, high: float, direction: Direction) -> Finding:
    if low > 0:
        return "better" if direction == "maximize" else "worse"
    if high < 0:
        return "worse" if direction == "maximize" else "better"
    return "undecided"
