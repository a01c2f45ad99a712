"""Accuracy."""

from typing import Any

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
