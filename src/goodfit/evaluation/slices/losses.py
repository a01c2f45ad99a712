"""One bounded loss per row, and how far it lies above what rows with such a prediction usually cost.

A model that says 60 % is wrong in 40 % of those rows and is not failing on them: such slices are hard. It fails where
it is wrong more often than it says. So the loss is judged against rows with about the same prediction, in strata of
`STRATUM` rows: what remains is independent of every column unless the model misses something that the column knows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.data import Task

STRATUM = 30
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Excess:
    """Losses above the mean of their stratum.

    Args:
        values: loss minus the stratum's mean, [n].
        variances: the stratum's variance of the loss, at each row, [n].
        order: row numbers by stratum: the first `size` are the first one, and so on; the last may be short.
        size: rows of a stratum.
    """

    values: Floats
    variances: Floats
    order: NDArray[np.intp]
    size: int

    def strata(self) -> list[NDArray[np.intp]]:
        """Return row numbers as blocks [strata, size]: all full strata, and the rest as one stratum."""
        full = len(self.order) // self.size * self.size
        blocks = [self.order[:full].reshape(-1, self.size), self.order[None, full:]]
        return [block for block in blocks if block.size]


def row_losses(task: Task, target: NDArray[Any], prediction: Floats) -> Floats:
    """Return one loss per row, [n]: squared error of the probabilities (Brier, 1950), or absolute error.

    Both are chosen because no single row can make a slice: the first is at most 2, the second grows but linearly.
    """
    if task == "regression":
        return np.asarray(np.abs(target - prediction))
    actual = np.take_along_axis(prediction, np.asarray(target)[:, None], axis=1)[:, 0]
    return np.asarray(1 - 2 * actual + np.square(prediction).sum(axis=1))


def excess_losses(losses: Floats, task: Task, prediction: Floats | None) -> Excess:
    """Return what is above the mean of rows with such a prediction, or above the mean of all where it is None."""
    rows = len(losses)
    order = np.arange(rows) if prediction is None else _by_prediction(task, prediction)
    size = max(1, rows) if prediction is None else STRATUM
    values, variances = np.zeros(rows), np.zeros(rows)
    excess = Excess(values, variances, order, size)
    for block in excess.strata():
        drawn = losses[block]
        values[block] = drawn - drawn.mean(axis=1, keepdims=True)
        variances[block] = drawn.var(axis=1, keepdims=True)
    return excess


def _by_prediction(task: Task, prediction: Floats) -> NDArray[np.intp]:
    """Return row numbers ordered by what was said: by class and its certainty, or by value."""
    if task == "regression":
        return np.argsort(prediction, kind="stable")
    if prediction.shape[1] == 2:
        return np.argsort(prediction[:, 1], kind="stable")
    return np.lexsort((np.square(prediction).sum(axis=1), prediction.argmax(axis=1)))
