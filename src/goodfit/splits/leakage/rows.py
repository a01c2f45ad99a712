"""Leaks between rows: what must stand on one side of a split, and what must stand in all."""

from typing import Any

import numpy as np
import pandas as pd

from goodfit.errors import shorten
from goodfit.splits.base import LEFT_OUT, NAMES, Units
from goodfit.splits.hashing import hash_rows
from goodfit.splits.parts import Parts
from goodfit.splits.units import numbered, repeating

SHOWN = 5
FIRST_LINE = 1


def torn_copies(parts: Parts) -> str:
    """Find exact copies in different splits."""
    return _torn(parts, parts.clusters, "exact copies (equal in features and target)")


def torn_ids(parts: Parts) -> str:
    """Find the same id in different splits; rows that lack an id are passed over."""
    names = parts.table.schema.names("id")
    if not names:
        return ""
    hashes = hash_rows(parts.table.frame, names)
    if not len(repeating(hashes)):
        return ""
    lacking = parts.table.frame[names].isna().any(axis="columns").to_numpy(dtype=bool)
    return _torn(parts, numbered(pd.Series(hashes).mask(lacking)), f"rows with the same {_quoted(names)}")


def torn_groups(parts: Parts) -> str:
    """Find a group with rows in different splits."""
    names = parts.table.schema.names("group")
    if not names:
        return ""
    return _torn(parts, numbered(parts.table.frame[names[0]]), f"rows with the same '{names[0]}'")


def overlap_in_time(parts: Parts) -> str:
    """Find rows of an earlier split that are not older than all rows of a later one."""
    names = parts.table.schema.names("time")
    if not names:
        return ""
    times = parts.table.frame[names[0]]
    spans = [_span(times[parts.mask(name)]) for name in NAMES]
    for name, span, later, later_span in zip(NAMES, spans, NAMES[1:], spans[1:], strict=False):
        if span and later_span and not span[1] < later_span[0]:
            return f"{name} reaches to {span[1]} in '{names[0]}', and {later} begins at {later_span[0]}"
    return ""


def missing_classes(parts: Parts) -> str:
    """Find classes that a split does not have."""
    schema = parts.table.schema
    if schema.task == "regression":
        return ""
    counts = parts.class_counts
    lacking = [label for label, rows in counts.items() if not all(rows)]
    if not lacking:
        return ""
    shown = "; ".join(_lack(label, counts[label]) for label in lacking[:SHOWN])
    more = f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
    return f"not every split has every class: {shown}{more}"


def _lack(label: str, counts: tuple[int, ...]) -> str:
    rows = sum(counts)
    where = [name for name, count in zip(NAMES, counts, strict=True) if not count]
    return f"{shorten(label)} ({rows:,} row{'s' if rows > 1 else ''}) is not in {' and '.join(where)}"


def _torn(parts: Parts, units: Units, what: str) -> str:
    """Say which units have rows in different splits; rows left out of all splits do not count."""
    dealt = parts.codes != LEFT_OUT
    units, codes = (units, parts.codes) if dealt.all() else (units[dealt], parts.codes[dealt])
    size = int(units.max()) + 1
    low = np.full(size, len(NAMES), dtype=np.int8)
    high = np.full(size, LEFT_OUT, dtype=np.int8)
    np.minimum.at(low, units, codes)
    np.maximum.at(high, units, codes)
    torn = (low < high)[units]
    if not torn.any():
        return ""
    rows = np.flatnonzero(dealt)
    first = int(torn.argmax())
    other = int(((units == units[first]) & (codes != codes[first])).argmax())
    places = " and ".join(f"row {rows[i] + FIRST_LINE:,} in {NAMES[codes[i]]}" for i in (first, other))
    return f"{int(torn.sum()):,} {what} stand in different splits; for example {places}"


def _span(times: pd.Series) -> tuple[Any, Any] | None:
    known = times.dropna()
    return (known.min(), known.max()) if len(known) else None


def _quoted(names: list[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
