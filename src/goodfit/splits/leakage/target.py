"""Features that hold the target in another form.

Looked for: a numeric feature that is a straight line of the target; two whose sum or difference is the target; a
feature whose every value stands with one class alone. A sample finds the candidates, all rows confirm them.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types as kinds

from goodfit.splits.leakage.sample import sample_of
from goodfit.splits.parts import Parts

Numbers = NDArray[np.float64]
ROWS_NEEDED = 20  # fewer rows agree by chance
MINORITY_NEEDED = 5
PRESENT_SHARE = 0.5
SHOWN = 8
TOLERANCE = 1e-6  # of the spread of the target
ROUNDING = 2e-7  # of a value: what float32 keeps
COARSEST = 1e-3  # of the spread of the target, whatever its size


def target_copies(parts: Parts) -> str:
    """Find what reproduces the target."""
    if len(parts.table) < ROWS_NEEDED:
        return ""
    frame, schema = parts.table.frame, parts.table.schema
    target = frame[schema.target.name]
    found = list(_determining(frame, schema.target.name, [c.name for c in schema.features])) if schema.classes else []
    if kinds.is_numeric_dtype(target.dtype):
        numeric = [c.name for c in schema.features if _is_number(frame[c.name])]
        found += [text for text in _linear(frame, schema.target.name, numeric) if text not in found]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"the target '{schema.target.name}' is reproduced by {'; '.join(found[:SHOWN])}{more}" if found else ""


def _is_number(values: pd.Series) -> bool:
    return bool(kinds.is_numeric_dtype(values.dtype) and not kinds.is_bool_dtype(values.dtype))


def _determining(frame: pd.DataFrame, target: str, features: list[str]) -> Iterator[str]:
    """Yield features whose every value stands with one class alone, where so few values cannot do so by chance."""
    classes = pd.factorize(frame[target])[0]
    if len(classes) - np.bincount(classes).max() < MINORITY_NEEDED:
        return
    rows = sample_of(len(frame))
    for name in features:
        if _determines(frame[name].iloc[rows], classes[rows]) and _determines(frame[name], classes):
            yield f"'{name}'"


def _determines(feature: pd.Series, classes: NDArray[np.int64]) -> bool:
    values, distinct = pd.factorize(feature, use_na_sentinel=False)
    if len(distinct) > max(len(values) ** 0.5, 2):
        return False
    low = np.full(len(distinct), classes.max() + 1)
    high = np.full(len(distinct), -1)
    np.minimum.at(low, values, classes)
    np.maximum.at(high, values, classes)
    return bool((low == high).all())


def _linear(frame: pd.DataFrame, target: str, features: list[str]) -> Iterator[str]:
    rows = sample_of(len(frame))
    wanted = _numbers(frame[target].iloc[rows])
    values = {name: _numbers(frame[name].iloc[rows]) for name in features}
    lines = [name for name in features if _is_line(values[name], wanted) and _confirmed(frame, target, (name,))]
    yield from (f"'{name}'" for name in lines)
    others = {name: values[name] for name in features if name not in lines and not _still(values[name])}
    pairs = (pair for pair in _pairs(others, wanted) if _confirmed(frame, target, pair[:2], pair[2]))
    yield from (f"'{first}' {'+' if sign > 0 else '-'} '{second}'" for first, second, sign in islice(pairs, SHOWN + 1))


def _pairs(values: dict[str, Numbers], wanted: Numbers) -> Iterator[tuple[str, str, int]]:
    """Yield pairs whose sum (sign 1) or difference (sign -1) is the target in the sample.

    Both are linear, so they hold of a random projection of the rows too, where finding a pair is a matter of sorting:
    the work grows with the number of columns, not with its square.
    """
    names, rows = _complete(values, wanted)
    if len(names) < 2:
        return
    weights = np.random.default_rng(0).uniform(0.5, 1.5, len(rows))
    points = np.array([weights @ values[name][rows] for name in names])
    sizes = np.array([weights @ np.abs(values[name][rows]) for name in names])
    goal, slack = float(weights @ wanted[rows]), ROUNDING * (sizes + float(weights @ np.abs(wanted[rows])))
    order = np.argsort(points)
    for sign, sought in ((1, goal - points), (-1, points - goal)):
        first = np.searchsorted(points[order], sought - slack, side="left")
        last = np.searchsorted(points[order], sought + slack, side="right")
        for i in np.flatnonzero(last > first):
            for j in order[first[i] : last[i]]:
                pair = values[names[i]] + sign * values[names[j]]
                if (i < j if sign > 0 else i != j) and _is_same(pair[rows], wanted[rows]):
                    yield names[i], names[j], sign


def _complete(values: dict[str, Numbers], wanted: Numbers) -> tuple[list[str], NDArray[np.int64]]:
    """Return columns, and sample rows that have a gap in none of them; columns with many gaps are dropped first."""
    known = np.isfinite(wanted)
    names: list[str] = []
    for name in sorted(values, key=lambda name: (int((~np.isfinite(values[name])).sum()), name)):
        both = known & np.isfinite(values[name])
        if both.sum() >= ROWS_NEEDED:
            known = both
            names.append(name)
    return names, np.flatnonzero(known)


def _confirmed(frame: pd.DataFrame, target: str, names: tuple[str, ...], sign: int = 1) -> bool:
    """Check every row: a single feature by its line through the target, two by their sum or difference."""
    combined = _numbers(frame[names[0]])
    for name in names[1:]:
        combined = combined + sign * _numbers(frame[name])
    if np.isfinite(combined).sum() < PRESENT_SHARE * len(frame):
        return False
    same = _is_line if len(names) == 1 else _is_same
    return same(combined, _numbers(frame[target]))


def _is_same(values: Numbers, wanted: Numbers) -> bool:
    """Tell whether the values are the target wherever both are known."""
    x, y = _known(values, wanted)
    return len(y) >= ROWS_NEEDED and bool(np.all(np.abs(x - y) <= _tolerance(y)))


def _is_line(values: Numbers, wanted: Numbers) -> bool:
    """Tell whether the target is a straight line of the values wherever both are known."""
    x, y = _known(values, wanted)
    if len(y) < ROWS_NEEDED:
        return False
    low, high = int(x.argmin()), int(x.argmax())
    if x[low] == x[high] or y[low] == y[high]:
        return False
    slope = (y[high] - y[low]) / (x[high] - x[low])
    return bool(np.all(np.abs(y[low] + slope * (x - x[low]) - y) <= _tolerance(y)))


def _tolerance(wanted: Numbers) -> Numbers:
    """Return by how much a copy may differ: what keeping it as float32 costs, and nothing that one outlier excuses."""
    low, high = np.quantile(wanted, (0.05, 0.95))
    spread = high - low if high > low else np.abs(wanted - wanted.mean()).mean()
    tolerance: Numbers = np.minimum(TOLERANCE * spread + ROUNDING * np.abs(wanted), COARSEST * spread)
    return tolerance


def _known(values: Numbers, wanted: Numbers) -> tuple[Numbers, Numbers]:
    known = np.isfinite(values) & np.isfinite(wanted)
    return (values, wanted) if known.all() else (values[known], wanted[known])


def _still(values: Numbers) -> bool:
    known = values[np.isfinite(values)]
    return not len(known) or bool(np.ptp(known) == 0)


def _numbers(values: pd.Series) -> Numbers:
    return values.to_numpy(dtype=np.float64, na_value=np.nan)
