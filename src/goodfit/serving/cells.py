"""Cells of a file as the model's columns: each row by itself, so that no other row decides what a cell means.

Training finds a column's type by all its values. Here the types are known from the model, and a cell that does not fit
is a fault of its row alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from goodfit.data import Column
from goodfit.data.conform import FALSE, TRUE
from goodfit.data.table import to_pandas
from goodfit.errors import DataError, Fault
from goodfit.preprocessing.reading import level_name

NUMBER = r"^ *-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? *$"
"""A number as the csv source takes it: no leading zero, no plus sign, no thousands."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Typed:
    """One column of a chunk.

    Args:
        values: [n] as the preprocessing takes them, missing where the cell is missing or does not fit.
        misfits: [n] true where a cell does not fit.
    """

    values: pd.Series
    misfits: Mask


def typed(column: Column, cells: pa.Array, levels: frozenset[str], form: str | None = None) -> Typed:
    """Return the cells of a column with the type that the model knows it by.

    Args:
        column: name and type.
        cells: [n] as the file has them.
        levels: of a categorical column, as the model knows them.
        form: of dates that are no ISO 8601.

    Raises:
        DataError: the file's type of the column can never fit.
    """
    if pa.types.is_dictionary(cells.type) and column.type != "categorical":
        cells = cells.dictionary_decode()
    text = pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)
    if column.type == "categorical":
        return Typed(_levels(cells, levels).rename(column.name), np.zeros(len(cells), dtype=bool))
    if column.type == "datetime":
        return _times(column.name, cells, text, form)
    numbers, fits = _numbers(column.name, cells, text, truths=column.type == "boolean")
    if column.type == "numeric" and fits.all():
        return Typed(pd.Series(numbers, name=column.name), ~fits)
    if column.type == "boolean":
        fits &= np.isnan(numbers) | (numbers == 0) | (numbers == 1)
    given = cells.is_valid().to_numpy(zero_copy_only=False)
    return Typed(pd.Series(np.where(fits, numbers, np.nan), name=column.name), given & ~fits)


def _numbers(name: str, cells: pa.Array, text: bool, *, truths: bool) -> tuple[NDArray[np.float64], Mask]:
    """Return [n] numbers, NaN where missing, and which are such; infinity is none."""
    fits = np.ones(len(cells), dtype=bool)
    if text:
        cells = _truths(cells) if truths else cells
        matched = pc.fill_null(pc.match_substring_regex(cells, NUMBER), True)
        fits = matched.to_numpy(zero_copy_only=False)
        cells = pc.if_else(matched, pc.utf8_trim(cells, " "), pa.scalar(None, cells.type))
    elif not _numeric(cells.type):
        raise misfit(name, cells.type, "truth values" if truths else "numbers")
    if pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.int8())
    numbers = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers, fits & ~np.isinf(numbers)


def _truths(cells: pa.Array) -> pa.Array:
    lower = pc.utf8_lower(cells)
    for words, digit in ((TRUE, "1"), (FALSE, "0")):
        lower = pc.if_else(pc.is_in(lower, pa.array(sorted(words), lower.type)), pa.scalar(digit, lower.type), lower)
    return lower


def _numeric(kind: pa.DataType) -> bool:
    types = pa.types
    asked = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    return any(is_kind(kind) for is_kind in asked)


def _times(name: str, cells: pa.Array, text: bool, form: str | None) -> Typed:
    if text:
        raw = cells.to_pandas().astype(object)
        read = pd.to_datetime(raw, format=form or "ISO8601", utc=True, errors="coerce")
        values = read.dt.tz_localize(None)
        return Typed(values.rename(name), (raw.notna() & values.isna()).to_numpy(dtype=bool))
    if not (pa.types.is_temporal(cells.type) or pa.types.is_null(cells.type)) or pa.types.is_time(cells.type):
        raise misfit(name, cells.type, "dates or times")
    zoned = cells.cast(pa.timestamp("us", getattr(cells.type, "tz", None)), safe=False)
    return Typed(zoned.to_pandas().rename(name), np.zeros(len(cells), dtype=bool))


def _levels(cells: pa.Array, levels: frozenset[str]) -> pd.Series:
    """Return categories, each spelled as the model knows it: 7, "7" and "7.0" are one level if it knows one of them."""
    coded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
    distinct = to_pandas(pa.table({"value": coded.dictionary}))["value"].tolist()
    names = [_spelled(value, levels) for value in distinct]
    kept = list(dict.fromkeys(names))
    place = {name: number for number, name in enumerate(kept)}
    table = np.array([*(place[name] for name in names), -1], dtype=np.min_scalar_type(-len(kept) - 1))
    codes = pc.fill_null(coded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    categories = pd.Index(kept, dtype="str")
    return pd.Series(pd.Categorical.from_codes(table[codes], categories=categories, validate=False))


@lru_cache(maxsize=1 << 16, typed=True)  # every chunk has the same few values
def _spelled(value: Any, levels: frozenset[str]) -> str:
    spellings = list(_spellings(value))
    return next((name for name in spellings if name in levels), spellings[0])


def _spellings(value: Any) -> Iterable[str]:
    yield level_name(value)
    yield str(value)
    if isinstance(value, str) and pc.match_substring_regex(pa.array([value]), NUMBER)[0].as_py():
        yield level_name(float(value))
        yield str(float(value))
    if isinstance(value, str) and value.lower() in ("true", "false"):
        yield value.capitalize()


def misfit(name: str, found: object, expected: str) -> DataError:
    """Return the error for a whole column of another type."""
    rule = f"has the type {found}, where the model needs {expected}"
    return DataError([Fault(f"column '{name}'", rule, None, "Write it with the type that the training data have.")])
