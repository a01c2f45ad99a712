"""F1, averaged over the classes."""

import numpy as np

from goodfit.metrics.base import METRICS, FloatArray, ratio
from goodfit.metrics.confusion import ConfusionMetric


@METRICS.register(
    "macro_f1",
    tasks=("binary", "multiclass"),
    direction="maximize",
    needs="classes",
    summary="mean over the classes of the harmonic mean of precision and recall",
)
class MacroF1(ConfusionMetric):
    """Mean of F1 over the classes that occur or are predicted; every class counts alike, however rare."""

    def of_counts(self, counts: FloatArray) -> FloatArray:
        """Return the mean of 2 tp / (2 tp + fp + fn)."""
        hits = np.einsum("iib->ib", counts)
        scores = ratio(2 * hits, counts.sum(axis=0) + counts.sum(axis=1))
        present = np.isfinite(scores)
        return ratio(np.where(present, scores, 0).sum(axis=0), present.sum(axis=0).astype(np.float64))
