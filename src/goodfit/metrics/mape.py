"""Mean absolute percentage error."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, Metric, Weighted, weighted_mean


@METRICS.register(
    "mape",
    tasks=("regression",),
    direction="minimize",
    needs="values",
    summary="mean absolute error as a share of the target; undefined where a target is 0",
)
class MeanAbsolutePercentageError(Metric):
    """Mean absolute error as a share of the target (0.1 is ten per cent)."""

    undefined = "is undefined: a target is 0"

    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return the weighted mean of |error / target|; undefined for all weightings if any target is 0."""
        actual = np.asarray(target, dtype=np.float64)
        if not actual.all():
            return lambda weights: np.full(weights.shape[1], np.nan)
        return weighted_mean(np.abs((actual - prediction) / actual))
