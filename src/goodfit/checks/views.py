"""The shape in which Great Expectations judges a column fast and rightly.

It compares only int64, float64 and zoned times as arrays; everything else value by value in Python, where a missing
value, a narrow integer or a naive time ends in an exception. So magnitudes are judged as float64 (times as microseconds
since 1970, UTC), types on an empty table of canonical types, and everything else on the values themselves.
"""

import datetime
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types as kinds

from goodfit.checks import catalog
from goodfit.checks.expectation import Expectation

MAGNITUDES = {
    "expect_column_values_to_be_between",
    "expect_column_min_to_be_between",
    "expect_column_max_to_be_between",
    "expect_column_mean_to_be_between",
    "expect_column_median_to_be_between",
    "expect_column_sum_to_be_between",
    "expect_column_stdev_to_be_between",
    "expect_column_quantile_values_to_be_between",
    "expect_column_value_z_scores_to_be_less_than",
    "expect_column_values_to_not_be_outliers",
    "expect_column_values_to_be_increasing",
    "expect_column_values_to_be_decreasing",
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
    "expect_multicolumn_values_to_be_equal",
    "expect_multicolumn_sum_to_equal",
}
EXEMPLARS = {
    "bool": "bool",
    "datetime64": "datetime64[ns]",
    "float64": "float64",
    "int64": "int64",
    "str": "string",
}
"""The pandas type that stands for each type name of a suite."""

View = str
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def view_of(expectation: Expectation) -> View:
    """Return which shape of its columns an expectation is judged on: table, types, magnitudes or values."""
    if expectation.name.startswith("expect_table_") or expectation.name == "expect_column_to_exist":
        return "table"
    if catalog.about_types(expectation.name):
        return "types"
    return "magnitudes" if expectation.name in MAGNITUDES else "values"


def shaped(frame: pd.DataFrame, columns: tuple[str, ...], view: View, kept: Mask | None = None) -> pd.DataFrame:
    """Return the kept rows of the columns in a view, numbered from 0. Memory: the columns asked for, once."""
    if view == "table":  # names and number of rows are all that is looked at: no need to copy the right rows
        return frame if kept is None else frame.iloc[: int(kept.sum())]
    if view == "types":
        return pd.DataFrame({name: pd.Series([], dtype=EXEMPLARS[canonical_type(frame[name])]) for name in columns})
    shape = magnitudes if view == "magnitudes" else plain_values
    return pd.DataFrame(
        {name: shape(frame[name] if kept is None else frame[name][kept]) for name in columns}, copy=False
    )


def magnitudes(values: pd.Series) -> pd.Series:
    """Return numbers and times as int64 or float64, and anything else as it is."""
    values = plain_values(values)
    if kinds.is_bool_dtype(values.dtype):
        return values
    if kinds.is_datetime64_any_dtype(values.dtype):
        return _microseconds(values)
    if not kinds.is_numeric_dtype(values.dtype) or values.dtype == np.int64:
        return values
    return pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan), name=values.name)


def readable(value: Any, expectation: Expectation, frame: pd.DataFrame) -> Any:
    """Return an observed value, times as ISO text again."""
    columns = [name for name in expectation.columns if name in frame]
    judged = view_of(expectation) == "magnitudes" and not expectation.name.endswith("stdev_to_be_between")
    timed = any(kinds.is_datetime64_any_dtype(frame[name].dtype) for name in columns)
    if isinstance(value, list | tuple):
        return [readable(item, expectation, frame) for item in value]
    if judged and timed and isinstance(value, int | float) and np.isfinite(value):
        return (datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=value)).isoformat()
    return plain(value)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: a missing one becomes null; infinity and other types become text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, float) and np.isinf(value):
        return str(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def plain_values(values: pd.Series) -> pd.Series:
    """Return a column, categories as the values they stand for, numbered from 0."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    return values.reset_index(drop=True)


def _microseconds(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    counts = values.to_numpy().astype("datetime64[us]")
    numbers = counts.astype(np.int64).astype(np.float64)
    numbers[np.isnat(counts)] = np.nan
    return pd.Series(numbers, name=values.name)


def canonical_type(values: pd.Series) -> str:
    """Return the name a suite gives the type of a column: width and missing values make no difference."""
    dtype = values.cat.categories.dtype if isinstance(values.dtype, pd.CategoricalDtype) else values.dtype
    if kinds.is_bool_dtype(dtype):
        return "bool"
    if kinds.is_datetime64_any_dtype(dtype):
        return "datetime64"
    if kinds.is_integer_dtype(dtype):
        return "int64"
    return "float64" if kinds.is_numeric_dtype(dtype) else "str"
