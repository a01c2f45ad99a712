"""Mean absolute error."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, Metric, Weighted, weighted_mean


@METRICS.register(
    "mae",
    tasks=("regression",),
    direction="minimize",
    needs="values",
    summary="mean absolute error, in target units",
)
class MeanAbsoluteError(Metric):
    """Mean absolute error, in target units."""

    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return the weighted mean of the absolute errors."""
        return weighted_mean(np.abs(target - prediction))
