"""Partial dependence: the mean prediction when a column has one value in every row.

"Greedy Function Approximation" (Friedman, 2001). What it shows is the model, not the world: where columns go together,
some of the rows it asks about do not exist.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.bundle import Bundle
from goodfit.evaluation.explaining.blocks import Block
from goodfit.preprocessing import Arrays

POINTS = 20
LEVELS = 12


@dataclass(frozen=True)
class Dependence:
    """One column's curve.

    Args:
        column: the raw column.
        values: raw values, in order (numbers and times), or levels, the most frequent first.
        means: mean prediction at each value, [values, outputs]: one probability per class, or the value.
        ordered: whether the values lie on a scale.
    """

    column: str
    values: list[object]
    means: NDArray[np.float64]
    ordered: bool


def partial_dependence(bundle: Bundle, frame: pd.DataFrame, arrays: Arrays, block: Block) -> Dependence:
    """Return the curve of one raw column over sampled rows.

    The values are those of real rows, at evenly spaced quantiles or of the most frequent levels, so that they have the
    column's own type.

    Args:
        bundle: the model.
        frame: raw rows, n.
        arrays: the same rows, preprocessed.
        block: of a single raw column.
    """
    values = frame[block.name]
    ordered = bool(pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_datetime64_any_dtype(values.dtype))
    ordered = ordered and not pd.api.types.is_bool_dtype(values.dtype)
    rows = _quantile_rows(values) if ordered else _level_rows(values)
    changed = Arrays(arrays.numeric.copy(), arrays.categorical.copy())
    means = []
    for row in rows:
        block.put(changed, arrays, int(row))
        means.append(np.atleast_1d(bundle.answers(changed).mean(axis=0)))
    shown = [None if pd.isna(value) else value for value in values.iloc[rows]]
    return Dependence(block.name, shown, np.stack(means), ordered)


def _quantile_rows(values: pd.Series) -> NDArray[np.intp]:
    there = np.flatnonzero(values.notna().to_numpy())
    if not len(there):
        return np.zeros(1, dtype=np.intp)
    order = there[np.argsort(values.iloc[there].to_numpy(), kind="stable")]
    picked = order[np.linspace(0, len(order) - 1, POINTS).round().astype(np.intp)]
    _, first = np.unique(values.iloc[picked].to_numpy(), return_index=True)
    return np.asarray(picked[np.sort(first)], dtype=np.intp)


def _level_rows(values: pd.Series) -> NDArray[np.intp]:
    codes, _ = pd.factorize(values, use_na_sentinel=False)
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    return np.asarray(first[np.argsort(-counts, kind="stable")][:LEVELS], dtype=np.intp)
