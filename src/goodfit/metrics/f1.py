"""F1 of the positive class."""

from goodfit.metrics.base import METRICS, FloatArray, ratio
from goodfit.metrics.confusion import ConfusionMetric


@METRICS.register(
    "f1",
    tasks=("binary",),
    direction="maximize",
    needs="classes",
    summary="harmonic mean of precision and recall of the positive class",
)
class F1(ConfusionMetric):
    """Harmonic mean of precision and recall of the positive class (van Rijsbergen, 1979)."""

    undefined = "is undefined: no row has the positive class, and none is predicted to have it"

    def of_counts(self, counts: FloatArray) -> FloatArray:
        """Return 2 tp / (2 tp + fp + fn)."""
        hits = 2 * counts[1, 1]
        return ratio(hits, hits + counts[0, 1] + counts[1, 0])
