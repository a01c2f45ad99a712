"""Coefficient of determination."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, FloatArray, Metric, Weighted, ratio


@METRICS.register(
    "r2",
    tasks=("regression",),
    direction="maximize",
    needs="values",
    summary="share of the target's variance that the predictions explain",
)
class CoefficientOfDetermination(Metric):
    """Share of the target's variance that is explained: 1 - SSE / SST; below 0 the mean would be the better answer."""

    undefined = "is undefined: the target has a single value"

    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return 1 - SSE / SST under weights, with SST about the weighted mean."""
        actual = np.asarray(target, dtype=np.float64)
        centred = actual - actual.mean() if np.ptp(actual) else np.zeros_like(actual)
        squares = np.stack([(actual - prediction) ** 2, centred, centred**2])

        def explained(weights: FloatArray) -> FloatArray:
            errors, first, second = squares @ weights
            spread = second - ratio(first**2, weights.sum(axis=0))
            return 1 - ratio(errors, np.where(spread > 0, spread, 0.0))

        return explained
