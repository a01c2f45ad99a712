"""What metrics of decided classes have in common: they are functions of the confusion matrix."""

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from goodfit.metrics.base import FloatArray, Metric, Weighted


class ConfusionMetric(Metric):
    """A metric that needs only how often each class was taken for each other."""

    @abstractmethod
    def of_counts(self, counts: FloatArray) -> FloatArray:
        """Return the values [b] of confusion matrices [actual class, predicted class, b]."""

    def weighted(self, target: NDArray[Any], prediction: NDArray[Any]) -> Weighted:
        """Return the values under weights; every weighting costs one pass over the rows."""
        classes = max(2, int(np.max(target, initial=0)) + 1, int(np.max(prediction, initial=0)) + 1)
        cells = np.asarray(target, dtype=np.int64) * classes + np.asarray(prediction, dtype=np.int64)
        rows = np.arange(len(cells))
        membership = csr_array((np.ones(len(cells)), (cells, rows)), shape=(classes * classes, len(cells)))
        return lambda weights: self.of_counts((membership @ weights).reshape(classes, classes, -1))
