"""Log loss."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, Metric, Weighted, weighted_mean

SMALLEST = 2.0**-23
"""No probability counts as smaller: a float32 softmax that says 1 cannot tell 1 from 1 - 2**-25."""


@METRICS.register(
    "log_loss",
    tasks=("binary", "multiclass"),
    direction="minimize",
    needs="probabilities",
    summary="mean negative log-likelihood of the actual class, in nats",
)
class LogLoss(Metric):
    """Mean negative log-likelihood of the actual class, in nats (Good, 1952): strictly proper."""

    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return the weighted mean of -log p(actual class)."""
        likelihood = np.asarray(prediction, dtype=np.float64)[np.arange(len(target)), target]
        return weighted_mean(-np.log(np.clip(likelihood, SMALLEST, 1.0)))
