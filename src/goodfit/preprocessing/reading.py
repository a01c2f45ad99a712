"""Read one raw column as numbers, truth values, times or levels; say what does not fit."""

import datetime
import math
import numbers
from collections.abc import Hashable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types as kinds

from goodfit.errors import DataError, Fault
from goodfit.preprocessing.scaling import Floats


def read_numbers(values: pd.Series) -> Floats:
    """Return [n] float64, NaN where missing.

    Raises:
        DataError: text, times or anything else that is no number.
    """
    if kinds.is_numeric_dtype(values.dtype) or kinds.is_bool_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    if values.isna().all():
        return np.full(len(values), np.nan)
    if kinds.is_object_dtype(values.dtype):
        wrong = [v for v in values if not _missing(v) and not isinstance(v, numbers.Real | Decimal)]
        if not wrong:
            return np.array([np.nan if _missing(v) else float(v) for v in values], dtype=np.float64)
        raise misfit(values, "a number", wrong[0])
    raise misfit(values, "a number", values.dropna().iloc[0])


def read_truths(values: pd.Series) -> Floats:
    """Return [n] float64: 1 true, 0 false, NaN missing.

    Raises:
        DataError: anything else than true, false, 1 and 0.
    """
    found = read_numbers(values)
    wrong = ~((found == 0) | (found == 1) | np.isnan(found))
    if wrong.any():
        raise misfit(values, "true or false", values.iloc[int(wrong.argmax())])
    return found


def read_times(values: pd.Series) -> pd.Series:
    """Return [n] times of UTC without a zone, NaT where missing; ISO 8601 text is read as well.

    Raises:
        DataError: a number, or text that is no time.
    """
    if not kinds.is_datetime64_any_dtype(values.dtype):
        wrong = [v for v in values if not _missing(v) and not isinstance(v, str | datetime.date | np.datetime64)]
        if wrong:
            raise misfit(values, "a date or time", wrong[0])
        read = pd.to_datetime(values.astype(object), format="ISO8601", utc=True, errors="coerce")
        lost = (values.notna() & read.isna()).to_numpy()
        if lost.any():
            raise misfit(values, "a date or time", values.iloc[int(lost.argmax())])
        values = read
    return values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz is not None else values


def read_levels(values: pd.Series) -> tuple[NDArray[np.int64], list[str]]:
    """Return [n] positions in the list of distinct levels as text, -1 where missing.

    Raises:
        DataError: a value that is no scalar.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        names = [level_name(level) for level in values.cat.categories]
        return np.asarray(values.cat.codes, dtype=np.int64), names
    if kinds.is_object_dtype(values.dtype):
        values = pd.Series([None if _missing(v) else _named(v, values) for v in values], dtype=object)
    codes, distinct = pd.factorize(values)
    return codes.astype(np.int64), [level_name(level) for level in distinct]


def level_name(value: Any) -> str:
    """Return a level as text; a whole number is written the same whether it came as an integer or with a fraction."""
    if isinstance(value, float | np.floating) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def misfit(values: pd.Series, expected: str, found: object) -> DataError:
    """Return the error for a value that does not fit its column's type."""
    rule = f"holds a {type(found).__name__} where {expected} is expected"
    return DataError([Fault(f"column '{values.name}'", rule, found, "Give the type that the training data have.")])


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _named(value: Any, values: pd.Series) -> str:
    if not isinstance(value, Hashable):
        raise misfit(values, "a level", value)
    return level_name(value)
