"""Root mean squared error."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, Metric, Weighted, weighted_mean


@METRICS.register(
    "rmse",
    tasks=("regression",),
    direction="minimize",
    needs="values",
    summary="square root of the mean squared error, in target units",
)
class RootMeanSquaredError(Metric):
    """Square root of the mean squared error, in target units."""

    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return the root of the weighted mean of the squared errors."""
        mean = weighted_mean((target - prediction) ** 2)
        return lambda weights: np.sqrt(mean(weights))
