"""Average precision."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import METRICS, FloatArray, Metric, Weighted, ratio, running


@METRICS.register(
    "average_precision",
    tasks=("binary",),
    direction="maximize",
    needs="probabilities",
    summary="area under the precision-recall steps of the positive class",
)
class AveragePrecision(Metric):
    """Precision at each score, averaged over the positive rows found there, without interpolation."""

    undefined = "is undefined: no row has the positive class"

    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return the average under weights; scores are sorted once, for all weightings."""
        score, positive = prediction[:, 1], target == 1
        hits, misses = _falling(score, np.flatnonzero(positive)), _falling(score, np.flatnonzero(~positive))
        # how many hits and misses score at least as high as each hit, ties included
        hits_above = np.searchsorted(-score[hits], -score[hits], side="right") - 1
        misses_above = np.searchsorted(-score[misses], -score[hits], side="right")

        def average(weights: FloatArray) -> FloatArray:
            rows = weights[hits]
            found = np.cumsum(rows, axis=0)[hits_above]
            named = running(weights[misses])[misses_above]
            named += found
            precision = np.divide(found, named, out=found, where=named > 0)
            return ratio(np.einsum("nb,nb->b", rows, precision), rows.sum(axis=0))

        return average


def _falling(score: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[np.argsort(-score[rows], kind="stable")]
