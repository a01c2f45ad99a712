"""Give columns the types that the `schema` section names, and a numeric target its two classes."""

from collections.abc import Callable

import pandas as pd
from pandas.api import types as kinds

from goodfit.data.inference import column_type
from goodfit.data.schema import ColumnType, SchemaSection
from goodfit.errors import ConfigurationError, DataError, Fault

TRUE = frozenset({"true", "yes", "1", "t", "y"})
FALSE = frozenset({"false", "no", "0", "f", "n"})


def conform(frame: pd.DataFrame, section: SchemaSection) -> pd.DataFrame:
    """Return the frame with overridden types converted and `schema.above` applied; other columns are shared.

    Raises:
        ConfigurationError: `above` is set and the target is not numeric.
        DataError: a value does not fit the type that `schema.types` names, with column, row and value.
    """
    changed = {
        name: _converted(frame[name], kind)
        for name, kind in section.types.items()
        if name in frame.columns and column_type(frame[name]) != kind
    }
    if section.above is not None and section.target in frame.columns:
        changed[section.target] = _two_classes(changed.get(section.target, frame[section.target]), section)
    return frame.assign(**changed) if changed else frame


def _converted(values: pd.Series, kind: ColumnType) -> pd.Series:
    converters: dict[ColumnType, Callable[[pd.Series], pd.Series]] = {
        "numeric": lambda v: pd.to_numeric(v, errors="coerce"),
        "datetime": _datetimes,
        "boolean": _truths,
        "categorical": lambda v: v.astype("str").where(v.notna(), None),
    }
    result = converters[kind](values)
    lost = values.notna() & result.isna()
    if lost.any():
        row = int(lost.to_numpy().argmax())
        rule = f"row {row + 1} is no {kind} value, which schema.types asks for; {int(lost.sum())} rows are not"
        remedy = f"Mend the rows, or drop schema.types.{values.name}."
        raise DataError([Fault(f"column '{values.name}'", rule, values.iloc[row], remedy)])
    return result


def _datetimes(values: pd.Series) -> pd.Series:
    if kinds.is_numeric_dtype(values.dtype):
        return pd.Series(pd.NaT, index=values.index, name=values.name)  # a number has no known unit
    zoned = values.astype("str").str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True)
    return pd.to_datetime(values, format="ISO8601", errors="coerce", utc=bool(zoned.any()))


def _truths(values: pd.Series) -> pd.Series:
    text = values.astype("str").str.lower().str.removesuffix(".0")
    result = pd.Series(pd.NA, index=values.index, name=values.name, dtype="boolean")
    result[text.isin(TRUE) & values.notna()] = True
    result[text.isin(FALSE) & values.notna()] = False
    return result


def _two_classes(values: pd.Series, section: SchemaSection) -> pd.Series:
    if column_type(values) != "numeric":
        rule = f"needs a numeric target, and '{section.target}' is {column_type(values)}"
        raise ConfigurationError([Fault("params.yaml: schema.above", rule, section.above, "Drop it.")])
    classes = (values > section.above).astype("boolean")
    return classes.mask(values.isna())
