"""Matthews correlation coefficient."""

import numpy as np

from goodfit.metrics.base import METRICS, FloatArray
from goodfit.metrics.confusion import ConfusionMetric


@METRICS.register(
    "mcc",
    tasks=("binary", "multiclass"),
    direction="maximize",
    needs="classes",
    summary="correlation of actual and predicted class; 0 for a constant answer",
)
class MatthewsCorrelation(ConfusionMetric):
    """Correlation between actual and predicted classes (Matthews, 1975; for many classes Gorodkin, 2004)."""

    def of_counts(self, counts: FloatArray) -> FloatArray:
        """Return the coefficient, and 0 where actual or predicted classes are constant."""
        total, hits = counts.sum(axis=(0, 1)), np.einsum("iib->b", counts)
        actual, predicted = counts.sum(axis=1), counts.sum(axis=0)
        covariance = hits * total - (actual * predicted).sum(axis=0)
        spread = (total**2 - (actual**2).sum(axis=0)) * (total**2 - (predicted**2).sum(axis=0))
        coefficient: FloatArray = np.zeros_like(total)
        np.divide(covariance, np.sqrt(spread), out=coefficient, where=spread > 0)
        return coefficient
