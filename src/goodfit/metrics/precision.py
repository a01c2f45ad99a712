"""Precision of the positive class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, FloatArray, ratio
from goodfit.metrics.confusion import ConfusionMetric


@METRICS.register(
    "precision",
    tasks=("binary",),
    direction="maximize",
    needs="classes",
    summary="share of the rows predicted positive that are positive",
)
class Precision(ConfusionMetric):
    """Share of the rows predicted positive that are positive."""

    undefined = "is undefined: no row is predicted to have the positive class"

    def of_counts(self, counts: FloatArray) -> FloatArray:
        """Return tp / (tp + fp)."""
        return ratio(counts[1, 1], counts[1, 1] + counts[0, 1])

    def share(self, target: NDArray[Any], prediction: NDArray[Any]) -> tuple[float, float]:
        """Return how many rows are positive, of those that are predicted positive."""
        return float(np.sum((target == 1) & (prediction == 1))), float(np.sum(prediction == 1))
