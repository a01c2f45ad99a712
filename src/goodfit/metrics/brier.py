"""Brier score."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, Metric, Weighted, weighted_mean


@METRICS.register(
    "brier",
    tasks=("binary", "multiclass"),
    direction="minimize",
    needs="probabilities",
    summary="mean squared error of the probabilities",
)
class Brier(Metric):
    """Mean squared error of the probabilities (Brier, 1950).

    Of the positive class if the task is binary (0 to 1), else summed over the classes (0 to 2).
    """

    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return the weighted mean of the squared errors."""
        probability = np.asarray(prediction, dtype=np.float64)
        at_target = probability[np.arange(len(target)), target]
        # sum over k of (p_k - [k is the target])^2, without an array of one-hot targets
        squares = np.einsum("nk,nk->n", probability, probability) - 2 * at_target + 1
        return weighted_mean(squares / 2 if probability.shape[1] == 2 else squares)
