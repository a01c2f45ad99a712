"""Balanced accuracy."""

import numpy as np

from goodfit.metrics.base import METRICS, FloatArray, ratio
from goodfit.metrics.confusion import ConfusionMetric


@METRICS.register(
    "balanced_accuracy",
    tasks=("binary", "multiclass"),
    direction="maximize",
    needs="classes",
    summary="mean over the classes of the share of its rows that are found",
)
class BalancedAccuracy(ConfusionMetric):
    """Mean recall over the classes that occur (Brodersen et al., 2010): a constant answer scores 1 / classes."""

    def of_counts(self, counts: FloatArray) -> FloatArray:
        """Return the mean recall, over the classes that have rows."""
        recalls = ratio(np.einsum("iib->ib", counts), counts.sum(axis=1))
        present = np.isfinite(recalls)
        return ratio(np.where(present, recalls, 0).sum(axis=0), present.sum(axis=0).astype(np.float64))
