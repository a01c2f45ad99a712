"""Accuracy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, Metric, Weighted, weighted_mean


@METRICS.register(
    "accuracy",
    tasks=("binary", "multiclass"),
    direction="maximize",
    needs="classes",
    summary="share of rows whose class is right",
)
class Accuracy(Metric):
    """Share of rows whose predicted class is the actual one."""

    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return the weighted share of hits."""
        return weighted_mean(target == prediction)

    def share(self, target: NDArray[Any], prediction: NDArray[Any]) -> tuple[float, float]:
        """Return how many rows are right, of all."""
        return float(np.sum(target == prediction)), float(len(target))
