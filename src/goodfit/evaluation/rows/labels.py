"""Which labels are likely wrong, from predictions of rows that the model has not learned.

Classes: confident learning (Northcutt, Jiang & Chuang, 2021). A row is suspect if another class is at least as probable
for it as for rows that carry that class's label on average, and more so than its own class is; rows are ranked by that
distance (their normalized margin, adjusted by the class averages). Values: a row is ranked by its error over the usual
error of rows with about the same prediction, and suspect from `FAR` robust standard deviations on.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FAR = 6.0
STRATA = 20
STRATUM = 50
SIGMA = 1.4826
"""A normal distribution's standard deviation is so many median absolute deviations."""
ROUNDING = 1e-9
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Suspects:
    """How suspect each row's label is.

    Args:
        score: rank by it, the highest first; [n].
        suspect: whether the label is likely wrong; [n].
        instead: the class that fits better, or the predicted value; [n].
    """

    score: Floats
    suspect: NDArray[np.bool_]
    instead: NDArray[Any]


def suspects(target: NDArray[Any], prediction: Floats) -> Suspects:
    """Return how suspect each label is.

    Args:
        target: class indices or values, [n].
        prediction: probabilities [n, k] or values [n], of rows that the model has not learned.
    """
    return _values(target, prediction) if prediction.ndim == 1 else _classes(target, prediction)


def _classes(target: NDArray[Any], prediction: Floats) -> Suspects:
    rows, classes = np.arange(len(target)), prediction.shape[1]
    counts = np.bincount(target, minlength=classes)
    own = np.bincount(target, prediction[rows, target], minlength=classes)
    usual = np.divide(own, counts, out=np.ones(classes), where=counts > 0)
    above = prediction - usual
    labelled = above[rows, target]
    others = above.copy()
    others[rows, target] = -np.inf
    instead = others.argmax(axis=1)
    best = others[rows, instead]
    fits = best >= -ROUNDING
    return Suspects(best - labelled, fits & (prediction[rows, instead] > prediction[rows, target]), instead)


def _values(target: NDArray[Any], prediction: Floats) -> Suspects:
    error = target - prediction
    scale = np.empty(len(error))
    count = max(1, min(STRATA, len(error) // STRATUM))
    for stratum in np.array_split(np.argsort(prediction, kind="stable"), count):
        if len(stratum):
            middle = np.median(np.abs(error[stratum]))
            scale[stratum] = SIGMA * middle if middle > 0 else np.abs(error[stratum]).mean() or 1.0
    score = np.abs(error) / scale
    return Suspects(score, score >= FAR, prediction)
