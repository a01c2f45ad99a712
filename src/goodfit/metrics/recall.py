"""Recall of the positive class."""

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
