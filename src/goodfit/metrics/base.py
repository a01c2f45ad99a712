"""The contract of a metric, and the registry.

A metric is written for weighted rows: given targets and predictions it returns a function from row weights to values.
With weights of one that is the metric; with the counts of a bootstrap resample it is one replicate, so that a thousand
replicates cost a few matrix products instead of a thousand calls.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from goodfit.registry import Registry

FloatArray = NDArray[np.float64]
Weighted = Callable[[FloatArray], FloatArray]
"""From row weights [n, b] (b weightings of the same n rows) to values [b]; NaN where a value is undefined."""

Direction = Literal["minimize", "maximize"]
Needs = Literal["probabilities", "classes", "values"]


class Metric(ABC):
    """One figure that says how well predictions fit targets.

    Facts of a registration: `tasks` it serves, its `direction`, what it `needs` as predictions (`probabilities` [n, k],
    `classes` [n] as indices, `values` [n] in target units), and a one-line `summary`. Targets are class indices [n]
    (for a binary task 1 is the positive class) or values [n].
    """

    undefined = "has no value on these rows"
    """Why the metric may have no value; written beside the null in metrics.json."""

    @abstractmethod
    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return the function from row weights [n, b] to the metric's values [b]."""

    def compute(self, target: NDArray[Any], prediction: NDArray[Any]) -> float:
        """Return the metric of n rows, or NaN where it is undefined."""
        return float(self.weighted(target, prediction)(np.ones((len(target), 1)))[0])

    def share(self, target: NDArray[Any], prediction: NDArray[Any]) -> tuple[float, float] | None:
        """Return (hits, trials) where the metric is a share of rows, which has an exact interval; else None."""
        return None


METRICS: Registry[Metric] = Registry("metric")


def weighted_mean(rows: NDArray[Any]) -> Weighted:
    """Return the weighted mean of one figure per row [n], as a function of the weights."""
    figures = np.asarray(rows, dtype=np.float64)
    return lambda weights: ratio(figures @ weights, weights.sum(axis=0))


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return part / whole, NaN where the whole is 0."""
    out: FloatArray = np.full(np.shape(whole), np.nan)
    return np.divide(part, whole, out=out, where=whole != 0)


def running(weights: FloatArray) -> FloatArray:
    """Return the weight of the first 0, 1, ..., n rows, [n + 1, b]."""
    sums = np.zeros((len(weights) + 1, weights.shape[1]))
    np.cumsum(weights, axis=0, out=sums[1:])
    return sums
