"""Recall of the positive class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, FloatArray, ratio
from goodfit.metrics.confusion import ConfusionMetric


@METRICS.register(
    "recall",
    tasks=("binary",),
    direction="maximize",
    needs="classes",
    summary="share of the positive rows that are found",
)
class Recall(ConfusionMetric):
    """Share of the positive rows that are predicted positive."""

    undefined = "is undefined: no row has the positive class"

    def of_counts(self, counts: FloatArray) -> FloatArray:
        """Return tp / (tp + fn)."""
        return ratio(counts[1, 1], counts[1, 1] + counts[1, 0])

    def share(self, target: NDArray[Any], prediction: NDArray[Any]) -> tuple[float, float]:
        """Return how many rows are found, of those that are positive."""
        return float(np.sum((target == 1) & (prediction == 1))), float(np.sum(target == 1))
