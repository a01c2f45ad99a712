"""Features that tell a model nothing, or which row it sees."""

import numpy as np
import pandas as pd
from pandas.api import types as kinds

from goodfit.splits.hashing import hash_values
from goodfit.splits.leakage.sample import FEW, MANY, sampled
from goodfit.splits.parts import Parts

SHOWN = 8
ROWS_NEEDED = 50  # below, integers that count something are often all distinct
DISTINCT_SHARE = 0.95
SAMPLE_SHARE = 0.94  # a sample of a column that reaches the share reaches this, but for 3 standard errors


def ids_in_disguise(parts: Parts) -> str:
    """Find text and integer features with a value of their own in nearly every row."""
    frame = parts.table.frame
    if len(frame) < ROWS_NEEDED:
        return ""
    found = [c.name for c in parts.table.schema.features if _names_rows(frame[c.name])]
    return f"{_listed(found)}: at least {DISTINCT_SHARE:.0%} of the values are distinct, as in an id" if found else ""


def constants(parts: Parts) -> str:
    """Find features with at most one value."""
    frame = parts.table.frame
    found = [c.name for c in parts.table.schema.features if _constant(frame[c.name])]
    return f"{_listed(found)}: the same value in every row, so there is nothing to learn from it" if found else ""


def _names_rows(values: pd.Series) -> bool:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    if not (kinds.is_integer_dtype(dtype) or kinds.is_string_dtype(dtype)):
        return False
    samples = (sampled(values, rows) for rows in (FEW, MANY))
    return all(_mostly_distinct(s, SAMPLE_SHARE) for s in samples) and _mostly_distinct(values, DISTINCT_SHARE)


def _mostly_distinct(values: pd.Series, share: float) -> bool:
    known = values[values.notna()] if values.hasnans else values
    if len(known) < ROWS_NEEDED:
        return False
    hashes = np.sort(hash_values(known))
    return bool(np.count_nonzero(hashes[1:] != hashes[:-1]) + 1 >= share * len(known))


def _constant(values: pd.Series) -> bool:
    if sampled(values).nunique(dropna=False) > 1:
        return False
    hashes = hash_values(values)
    return bool(np.all(hashes == hashes[0]))


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
