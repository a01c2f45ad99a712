"""Area under the ROC curve."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, FloatArray, Metric, Weighted, ratio, running


@METRICS.register(
    "roc_auc",
    tasks=("binary", "multiclass"),
    direction="maximize",
    needs="probabilities",
    summary="probability that a positive row scores above a negative one; classes one against the rest, averaged",
)
class RocAuc(Metric):
    """Probability that a random positive row scores above a random negative one, ties counting half (Hanley, 1982).

    With more than two classes: the mean over the classes, each against the rest.
    """

    undefined = "is undefined: a class has no row, or has every row"

    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return the area under weights; scores are sorted once, for all weightings."""
        classes = prediction.shape[1]
        if classes == 2:
            return _area(target == 1, prediction[:, 1])
        areas = [_area(target == k, prediction[:, k]) for k in range(classes)]
        return lambda weights: np.mean([area(weights) for area in areas], axis=0)


def _area(positive: NDArray[np.bool_], score: NDArray[Any]) -> Weighted:
    hits = np.flatnonzero(positive)
    misses = np.flatnonzero(~positive)
    misses = misses[np.argsort(score[misses], kind="stable")]
    below = np.searchsorted(score[misses], score[hits], side="left")
    not_above = np.searchsorted(score[misses], score[hits], side="right")

    def area(weights: FloatArray) -> FloatArray:
        beaten = running(weights[misses])
        won = beaten[below]
        won += beaten[not_above]
        hit_weights = weights[hits]
        return ratio(np.einsum("nb,nb->b", won, hit_weights) / 2, hit_weights.sum(axis=0) * beaten[-1])

    return area
