"""Learn from the training rows what each column needs."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from goodfit.data import Column, Table
from goodfit.errors import DataError, Fault
from goodfit.preprocessing.datetimes import CYCLES, Datetime, read_part
from goodfit.preprocessing.encoders import Boolean, Categorical, Dense, Measure, Numeric
from goodfit.preprocessing.preprocessor import Preprocessor, checked_columns
from goodfit.preprocessing.reading import read_levels, read_numbers, read_times, read_truths
from goodfit.preprocessing.scaling import Floats, fit_scaling, median
from goodfit.preprocessing.section import PreprocessingSection
from goodfit.preprocessing.targets import fit_target


@dataclass(frozen=True)
class Dropped:
    """A column that says nothing, and why."""

    column: str
    reason: str


Fitted = Dense | Categorical | Dropped


def fit_preprocessor(table: Table, section: PreprocessingSection) -> Preprocessor:
    """Fit every feature column and the target on training rows.

    Args:
        table: the training rows, at least 1.
        section: the `preprocessing` section of params.yaml.

    Raises:
        DataError: no rows, a value that does not fit its column's type, a target with gaps, or no feature that varies.
    """
    if len(table) == 0:
        raise DataError([Fault("training rows", "there are none", None, "Give the training split more rows.")])
    features = table.schema.features
    checked_columns(table.frame, [column.name for column in features])
    fitted = [fit_column(table.frame[column.name], column, section) for column in features]
    dense = tuple(f for f in fitted if not isinstance(f, Categorical | Dropped))
    coded = tuple(f for f in fitted if isinstance(f, Categorical))
    notes = tuple(f"column '{f.column}' is dropped: {f.reason}" for f in fitted if isinstance(f, Dropped))
    if not dense and not coded:
        rule = "every feature is constant or empty in the training rows"
        raise DataError([Fault("training rows", rule, None, "Add features that vary.")])
    return Preprocessor(dense, coded, fit_target(table), notes)


def fit_column(values: pd.Series, column: Column, section: PreprocessingSection) -> Fitted:
    """Fit one column by its type in the schema."""
    if values.isna().all():
        return Dropped(column.name, "it has no value in the training rows")
    match column.type:
        case "numeric":
            return _numeric(values, column.name, section)
        case "boolean":
            return _boolean(values, column.name, section)
        case "datetime":
            return _datetime(values, column.name, section)
        case "categorical":
            return _categorical(values, column.name, section)


def _numeric(values: pd.Series, name: str, section: PreprocessingSection) -> Fitted:
    found = read_numbers(values)
    measure = _measure(found, section)
    indicator = section.missing_indicators and bool(np.isnan(found).any())
    return Numeric(name, measure, indicator) if measure or indicator else _constant(name)


def _boolean(values: pd.Series, name: str, section: PreprocessingSection) -> Fitted:
    found = read_truths(values)
    present = found[~np.isnan(found)]
    varies = bool((present != present[0]).any())
    indicator = section.missing_indicators and len(present) < len(found)
    return Boolean(name, varies, indicator) if varies or indicator else _constant(name)


def _datetime(values: pd.Series, name: str, section: PreprocessingSection) -> Fitted:
    times = read_times(values)
    start = times.min().isoformat()
    turning = [part for part in CYCLES if _varies(read_part(times, part, start))]
    counted = ["year", "elapsed"] if section.cyclic_dates else ["year", *turning, "elapsed"]
    fitted = {part: _measure(read_part(times, part, start), section) for part in counted}
    measures = {part: measure for part, measure in fitted.items() if measure}
    cycles = tuple(turning) if section.cyclic_dates else ()
    indicator = section.missing_indicators and bool(times.isna().any())
    found = Datetime(name, start, measures, cycles, indicator)
    return found if found.names else _constant(name)


def _categorical(values: pd.Series, name: str, section: PreprocessingSection) -> Fitted:
    positions, names = read_levels(values)
    counts: Counter[str] = Counter()
    for level, rows in zip(names, np.bincount(positions[positions >= 0], minlength=len(names)), strict=True):
        counts[level] += int(rows)
    present = {level: rows for level, rows in counts.items() if rows}
    if len(present) == 1 and (positions >= 0).all():
        return _constant(name)
    common = sorted((-rows, level) for level, rows in present.items() if rows >= section.min_level_rows)
    return Categorical(name, tuple(sorted(level for _, level in common[: section.max_levels])))


def _measure(found: Floats, section: PreprocessingSection) -> Measure | None:
    if not _varies(found):
        return None
    finite = found[np.isfinite(found)]
    return Measure(median(finite), fit_scaling(finite, section.scaling, section.quantiles))


def _varies(found: Floats) -> bool:
    finite = found[np.isfinite(found)]
    return len(finite) > 0 and bool((finite != finite[0]).any())


def _constant(name: str) -> Dropped:
    return Dropped(name, "it has one value in all training rows")
