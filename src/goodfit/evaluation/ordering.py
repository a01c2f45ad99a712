"""Which rows are drawn together: those of a group, those that follow each other in time, or each alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Table
from goodfit.evaluation.stretches import Stretches, stretch_length


def follow_in_time(tables: Mapping[str, Table]) -> bool:
    """Tell whether the splits lie one after the other in the schema's time column, as a split by time makes them."""
    names = tables["train"].schema.names("time")
    if not names:
        return False
    times = [tables[split].frame[names[0]].dropna() for split in ("train", "valid", "test")]
    if not all(map(len, times)):
        return False
    return bool(times[0].max() < times[1].min() and times[1].max() < times[2].min())


def stretches_of(table: Table, target: NDArray[Any], prediction: NDArray[np.float64]) -> Stretches:
    """Return the rows' order in time, in stretches as long as the model's losses remember.

    Args:
        table: the rows, with a time column; rows without a time come last.
        target: class indices or values, [n].
        prediction: probabilities [n, k] or values [n].
    """
    times = pd.Series(table.frame[table.schema.names("time")[0]]).reset_index(drop=True)
    order = times.sort_values(kind="stable").index.to_numpy()
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    return Stretches(place, stretch_length(row_losses(target, prediction)[order]))


def row_losses(target: NDArray[Any], prediction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a loss per row [n] in which no row can weigh much: 1 - p(actual class), or the absolute error."""
    if prediction.ndim == 1:
        return np.abs(target - prediction)
    return 1 - np.take_along_axis(prediction, np.asarray(target)[:, None], axis=1)[:, 0]
