"""Median absolute error."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, FloatArray, Metric, Weighted


@METRICS.register(
    "median_absolute_error",
    tasks=("regression",),
    direction="minimize",
    needs="values",
    summary="median of the absolute errors, in target units",
)
class MedianAbsoluteError(Metric):
    """Median of the absolute errors, in target units: deaf to outliers."""

    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return the weighted median: the mean of the two middle rows where the weight splits evenly."""
        errors = np.abs(np.asarray(target, dtype=np.float64) - prediction)
        order = np.argsort(errors, kind="stable")
        errors = errors[order]

        def median(weights: FloatArray) -> FloatArray:
            reached = np.cumsum(weights[order], axis=0)
            half = reached[-1] / 2
            lower = errors[np.argmax(reached >= half, axis=0)]
            upper = errors[np.argmax(reached > half, axis=0)]
            return np.where(half > 0, (lower + upper) / 2, np.nan)

        return median
