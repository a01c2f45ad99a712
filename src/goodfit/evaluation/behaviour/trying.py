"""Try a behaviour test on rows: change them, ask again, and count what moved where it must not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Schema
from goodfit.evaluation.behaviour.checking import Test
from goodfit.evaluation.behaviour.definitions import Directional, Invariance, MinimumFunctionality, Scalar
from goodfit.preprocessing.reading import level_name, read_levels, read_numbers, read_times, read_truths

Predict = Callable[[pd.DataFrame], NDArray[np.float64]]
Decide = Callable[[NDArray[np.float64]], NDArray[Any]]


@dataclass(frozen=True)
class Tried:
    """What a behaviour test found.

    Args:
        rows: numbers of the rows that were tried, [m].
        before, after: what was said of them: the score that is meant, or for minimum functionality the answer; [m].
        violated: which of them violate the test, [m].
    """

    rows: NDArray[np.intp]
    before: NDArray[Any]
    after: NDArray[Any]
    violated: NDArray[np.bool_]

    @property
    def share(self) -> float:
        """Share of the tried rows that violate the test; NaN if none was tried."""
        return float(self.violated.mean()) if len(self.rows) else np.nan


def tried(test: Test, frame: pd.DataFrame, schema: Schema, predict: Predict, decide: Decide) -> Tried:
    """Return what a test finds on raw rows [n].

    Args:
        test: the definition, checked against the schema.
        frame: the rows.
        schema: their columns and the classes.
        predict: raw rows to probabilities [n, k] or values [n].
        decide: probabilities to class indices [n].
    """
    rows = np.flatnonzero(matching(frame, schema, test.when) & _named(frame, test))
    chosen = frame.iloc[rows]
    if not len(rows):
        return Tried(rows, np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool))
    before, after = predict(chosen), predict(changed(chosen, test))
    if isinstance(test, MinimumFunctionality):
        return _minimum(test, schema, rows, before, after, decide)
    if isinstance(test, Invariance):
        moves = np.abs(after - before).reshape(len(rows), -1)
        moved = moves.argmax(axis=1) if before.ndim == 2 else np.zeros(len(rows), dtype=np.intp)
        pair = [part.reshape(len(rows), -1)[np.arange(len(rows)), moved] for part in (before, after)]
        return Tried(rows, pair[0], pair[1], moves.max(axis=1) > test.tolerance)
    return _directional(test, schema, rows, before, after)


def matching(frame: pd.DataFrame, schema: Schema, when: Mapping[str, Scalar]) -> NDArray[np.bool_]:
    """Return which rows [n] have the values."""
    types = {column.name: column.type for column in schema.columns}
    mask = np.ones(len(frame), dtype=bool)
    for name, value in when.items():
        mask &= _equal(frame[name], types[name], value)
    return mask


def changed(frame: pd.DataFrame, test: Test) -> pd.DataFrame:
    """Return the rows as the test changes them."""
    new: dict[str, Any] = {
        name: pd.Series([value] * len(frame), index=frame.index, dtype=object) for name, value in test.set.items()
    }
    for name, names in (test.rename if isinstance(test, Invariance) else {}).items():
        new[name] = _levels(frame[name]).map(lambda level, names=names: names.get(level, level))
    for name, amount in (test.add if isinstance(test, Directional) else {}).items():
        new[name] = pd.Series(read_numbers(frame[name]) + amount, index=frame.index)
    return frame.assign(**new)


def _named(frame: pd.DataFrame, test: Test) -> NDArray[np.bool_]:
    """Return which rows [n] have a level that is renamed; all where none is."""
    renamed = test.rename if isinstance(test, Invariance) else {}
    masks = [_levels(frame[name]).isin(list(names)).to_numpy(bool) for name, names in renamed.items()]
    return np.asarray(np.logical_or.reduce(masks)) if masks else np.ones(len(frame), dtype=bool)


def _levels(values: pd.Series) -> pd.Series:
    """Return the names of the levels, None where missing, as objects with the same index."""
    codes, names = read_levels(values)
    return pd.Series([names[code] if code >= 0 else None for code in codes], index=values.index, dtype=object)


def _equal(values: pd.Series, kind: str, value: Scalar) -> NDArray[np.bool_]:
    if value is None:
        return np.asarray(values.isna())
    if kind == "numeric":
        return np.asarray(read_numbers(values) == value)
    if kind == "boolean":
        return np.asarray(read_truths(values) == float(bool(value)))
    if kind == "datetime":
        moment = read_times(pd.Series([value], dtype=object)).iloc[0]
        return np.asarray(read_times(values) == moment)
    positions, names = read_levels(values)
    wanted = np.array([*(name == level_name(value) for name in names), False])
    return np.asarray(wanted[positions])


def _minimum(
    test: MinimumFunctionality,
    schema: Schema,
    rows: NDArray[np.intp],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    decide: Decide,
) -> Tried:
    if test.between is not None:
        low, high = test.between
        return Tried(rows, before, after, (after < low) | (after > high))
    names = np.array(schema.classes, dtype=object)
    said = names[decide(after)]
    return Tried(rows, names[decide(before)], said, np.asarray(said != test.expect))


def _directional(
    test: Directional,
    schema: Schema,
    rows: NDArray[np.intp],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> Tried:
    if before.ndim == 2:
        index = schema.classes.index(test.of_class) if test.of_class is not None else 1
        before, after = before[:, index], after[:, index]
    wrong = before - after if test.expect == "not_lower" else after - before
    return Tried(rows, before, after, wrong > test.tolerance)
