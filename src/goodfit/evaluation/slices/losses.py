"""One bounded loss per row, and how far it lies above what rows with such a prediction usually cost.

A model that says 60 % is wrong in 40 % of those rows and is not failing on them: such slices are hard. It fails where
it is wrong more often than it says. So the loss is judged against rows with about the same prediction, in strata of
`STRATUM` rows: what remains is independent of every column unless the model misses something that the column knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.data import Task

STRATUM = 30
BIN = 0.05
BIN_OF_VALUES = 0.5
"""Predictions in one stratum lie no further apart: in probability, or in standard deviations of all predictions."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Excess:
    """Losses above the mean of their stratum.

    Args:
        values: loss minus the stratum's mean, [n].
        variances: the stratum's variance of the loss, at each row, [n].
        strata: row numbers [strata, rows of each], strata of one size together.
    """

    values: Floats
    variances: Floats
    strata: tuple[NDArray[np.intp], ...]


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
    values, variances = np.zeros(rows), np.zeros(rows)
    strata = (np.arange(rows)[None],) if prediction is None else tuple(_by_prediction(task, prediction))
    for block in strata:
        drawn = losses[block]
        if drawn.size:
            values[block] = drawn - drawn.mean(axis=1, keepdims=True)
            variances[block] = drawn.var(axis=1, keepdims=True)
    return Excess(values, variances, strata)


def _by_prediction(task: Task, prediction: Floats) -> Iterator[NDArray[np.intp]]:
    """Yield strata of about STRATUM rows with predictions next to each other, and in one bin."""
    said, bins = _bins(task, prediction)
    order = np.lexsort((said, bins))
    starts = np.flatnonzero(np.diff(bins[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    parts = [part for start, size in zip(starts, sizes, strict=True) for part in _cut(order[start : start + size])]
    for rows in sorted({len(part) for part in parts}):
        yield np.stack([part for part in parts if len(part) == rows])


def _cut(rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    return np.array_split(rows, max(1, round(len(rows) / STRATUM)))


def _bins(task: Task, prediction: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return what was said as one number per row, and the bin that it lies in, [n] each."""
    if task == "regression":
        said = prediction - prediction.min(initial=np.inf) if len(prediction) else prediction
        return said, (said / (BIN_OF_VALUES * said.std() or 1.0)).astype(np.int64)
    if prediction.shape[1] == 2:
        return prediction[:, 1], (prediction[:, 1] / BIN).astype(np.int64)
    certainty = np.square(prediction).sum(axis=1)
    per_class = int(1 / BIN) + 1
    return certainty, prediction.argmax(axis=1) * per_class + (certainty / BIN).astype(np.int64)
