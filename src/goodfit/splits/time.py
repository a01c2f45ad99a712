"""Train on the past, choose on what came next, test on what came last."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types as kinds

from goodfit.data import Schema, Table
from goodfit.errors import ConfigurationError, DataError, Fault
from goodfit.splits.base import LEFT_OUT, SPLITS, Codes, FractionSplit, Units

MOMENTS_NEEDED = 3
PLACE = "params.yaml: split.gap"


@SPLITS.register("time")
class TimeSplit(FractionSplit):
    """Cut the rows by `schema.time`: train before valid before test, and no moment on both sides of a cut.

    Rows are copies of each other only when their time is the same too, so what recurs later stays where it is.

    Options:
        gap: the least time between two splits, such as 7D or 12h (a number where the column holds numbers); rows of
            the earlier split that lie within it are left out and counted.
    """

    def __init__(self, *, gap: float | str = 0, **shared: Any) -> None:
        super().__init__(**shared)
        self.gap = gap

    def schema_faults(self, schema: Schema) -> list[Fault]:
        """Return a fault unless the schema names a time column that can be ordered."""
        named = [column for column in schema.columns if column.role == "time"]
        if not named:
            rule = "split.kind: time needs the column that orders the rows"
            return [Fault("params.yaml: schema.time", rule, None, "Name it, or choose another split.kind.")]
        if named[0].type in ("datetime", "numeric"):
            return []
        rule = f"'{named[0].name}' is {named[0].type}, and only dates, moments and numbers have an order in time"
        return [Fault("params.yaml: schema.time", rule, None, "Let the source deliver it as a date or a number.")]

    def identity(self, schema: Schema) -> list[str]:
        """Return features, target and time."""
        return super().identity(schema) + schema.names("time")

    def assign(self, table: Table, units: Units, seed: int) -> Codes:
        """Cut between moments where the shares of the rows are reached, then leave the gaps out."""
        name = table.schema.names("time")[0]
        times = _ordered(table.frame[name], name)
        moments, number, counts = np.unique(times.to_numpy(), return_inverse=True, return_counts=True)
        if len(moments) < MOMENTS_NEEDED:
            rule = f"has {len(moments)} distinct values, and three splits by time need {MOMENTS_NEEDED}"
            raise DataError(
                [Fault(f"column '{name}'", rule, None, "Choose another split.kind or another schema.time.")]
            )
        first_valid, first_test = _cuts(counts, self.fractions)
        codes = np.zeros(len(moments), dtype=np.int8)
        codes[first_valid:] = 1
        codes[first_test:] = 2
        gap = self._gap(times)
        codes[(codes == 0) & (moments > moments[first_valid] - gap)] = LEFT_OUT
        codes[(codes == 1) & (moments > moments[first_test] - gap)] = LEFT_OUT
        return codes[number]

    def _gap(self, times: pd.Series) -> Any:
        """Return the gap in the column's own terms: a duration for moments, a number for numbers."""
        if kinds.is_numeric_dtype(times.dtype):
            return _checked(_parsed(float, self.gap, "must be a number, because the time column is numeric"), self.gap)
        if self.gap and not isinstance(self.gap, str):
            raise _wrong_gap("needs a unit, because the time column holds moments", self.gap)
        return _checked(_parsed(pd.Timedelta, self.gap, "is no duration").to_timedelta64(), self.gap)


def _parsed(read: Callable[[Any], Any], gap: float | str, rule: str) -> Any:
    try:
        return read(gap)
    except ValueError as error:
        raise _wrong_gap(rule, gap) from error


def _checked(value: Any, gap: float | str) -> Any:
    if not value >= type(value)(0):
        raise _wrong_gap("must not be negative", gap)
    return value


def _wrong_gap(rule: str, gap: float | str) -> ConfigurationError:
    return ConfigurationError([Fault(PLACE, rule, gap, "Examples: 7D, 12h; 30 for a numeric column.")])


def _ordered(times: pd.Series, name: str) -> pd.Series:
    missing = int(times.isna().sum())
    if missing:
        remedy = (
            "Fill it, or let the expectation suite quarantine those rows (not-null, validate.on_failure: quarantine)."
        )
        raise DataError(
            [Fault(f"column '{name}'", f"orders the rows and lacks a value in {missing:,} of them", None, remedy)]
        )
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        plain: pd.Series = times.dt.tz_convert("UTC").dt.tz_localize(None)
        return plain
    return times


def _cuts(counts: "np.ndarray[Any, np.dtype[np.int64]]", fractions: tuple[float, float, float]) -> tuple[int, int]:
    """Return the first moment of valid and of test; each split gets at least one."""
    middles = (np.cumsum(counts) - counts / 2) / counts.sum()
    first_valid, first_test = np.searchsorted(middles, np.cumsum(fractions[:2]), side="left")
    first_valid = int(np.clip(first_valid, 1, len(counts) - 2))
    return first_valid, int(np.clip(first_test, first_valid + 1, len(counts) - 1))
