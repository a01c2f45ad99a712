"""Turn a raw column into few codes whose values can be named: levels, bins, and where it is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Column
from goodfit.preprocessing.reading import level_name, read_levels, read_numbers, read_times

Codes = NDArray[np.int64]
MAX_LEVELS = 30
"""The most frequent levels can be slices by themselves; the rows of all others have a code that no slice names."""
MISSING = 0


@dataclass(frozen=True)
class Coder:
    """One column's codes and the sets of codes that slices may be made of.

    Args:
        column: the raw column and its type.
        edges: interior edges of the bins, in the column's units (nanoseconds for times); None for levels.
        levels: names of the levels, by code - 1; empty for bins.
        atoms: what a slice can name: its text and which codes it holds, bool [codes].
    """

    column: Column
    edges: NDArray[np.float64] | None
    levels: tuple[str, ...]
    atoms: tuple[tuple[str, NDArray[np.bool_]], ...]

    @property
    def size(self) -> int:
        """Number of codes: missing, then bins or levels, and for levels one more for all others."""
        return 2 + (len(self.levels) if self.edges is None else len(self.edges))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The atoms as numbers, [atoms, codes]."""
        return np.array([holds for _, holds in self.atoms], dtype=np.float64).reshape(-1, self.size)

    def codes(self, values: pd.Series) -> Codes:
        """Return the codes [n] of raw values [n]."""
        if self.edges is None:
            return _level_codes(values, self.levels)
        numbers = as_numbers(values, self.column)
        return np.where(np.isnan(numbers), MISSING, 1 + np.searchsorted(self.edges, numbers, side="right"))


def learn_coders(frame: pd.DataFrame, columns: Sequence[Column], bins: int) -> list[Coder]:
    """Return a coder per column from the rows that are searched; numeric columns get `bins` equally full bins."""
    return [coder_of(frame[column.name], column, bins) for column in columns]


def coded(frame: pd.DataFrame, coders: Sequence[Coder]) -> dict[str, Codes]:
    """Return column to the codes [n] of its values."""
    return {coder.column.name: coder.codes(frame[coder.column.name]) for coder in coders}


def coder_of(values: pd.Series, column: Column, bins: int, edges: Sequence[float] | None = None) -> Coder:
    """Return the coder of one column; `edges`, if given, are the cuts between bins."""
    if column.type not in ("numeric", "datetime"):
        return _of_levels(values, column)
    numbers = as_numbers(values, column)
    known = numbers[~np.isnan(numbers)]
    cuts = np.asarray(edges, dtype=np.float64) if edges is not None else _quantile_edges(known, bins)
    distinct = np.unique(known)
    exact = distinct if edges is None and len(distinct) == len(cuts) + 1 else None
    atoms = _missing(column, numbers) + _intervals(column, cuts, exact)
    return Coder(column, cuts, (), tuple((text, _holds(codes, len(cuts) + 2)) for text, codes in atoms))


def as_numbers(values: pd.Series, column: Column) -> NDArray[np.float64]:
    """Return numbers or times [n] as floats, NaN where missing or infinite."""
    if column.type == "datetime":
        times = read_times(values)
        return np.where(times.isna(), np.nan, times.astype("datetime64[ns]").astype("int64").to_numpy(float))
    numbers = read_numbers(values)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _of_levels(values: pd.Series, column: Column) -> Coder:
    codes, names = read_levels(values)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    frequent = np.argsort(-counts, kind="stable")[:MAX_LEVELS]
    levels = tuple(sorted({names[i] for i in frequent}))
    size = len(levels) + 2
    atoms = [(f"{column.name} is missing", [MISSING])] if (codes < 0).any() else []
    atoms += [(f"{column.name} = {level}", [code]) for code, level in enumerate(levels, start=1)]
    return Coder(column, None, levels, tuple((text, _holds(held, size)) for text, held in atoms))


def _level_codes(values: pd.Series, levels: tuple[str, ...]) -> Codes:
    positions, names = read_levels(values)
    known: Mapping[str, int] = {level: code for code, level in enumerate(levels, start=1)}
    table = np.array([*(known.get(name, len(levels) + 1) for name in names), MISSING], dtype=np.int64)
    return table[positions]


def _quantile_edges(known: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Return cuts: between all values if there are few, else at quantiles; every bin has rows."""
    distinct = np.unique(known)
    if len(distinct) <= bins:
        return distinct[1:]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1], method="higher"))
    return _round(edges[edges > distinct[0]], distinct)


def _round(edges: NDArray[np.float64], distinct: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edges with as few digits as keep them apart, so that what a slice's name says is what it holds."""
    for digits in range(2, 9):
        short = np.array([float(f"{edge:.{digits}g}") for edge in edges])
        moved = np.abs(np.searchsorted(distinct, short) - np.searchsorted(distinct, edges))
        if len(np.unique(short)) == len(edges) and moved.max(initial=0) <= len(distinct) / 200:
            return short
    return edges


def _missing(column: Column, numbers: NDArray[np.float64]) -> list[tuple[str, list[int]]]:
    return [(f"{column.name} is missing", [MISSING])] if np.isnan(numbers).any() else []


def _intervals(
    column: Column, cuts: NDArray[np.float64], values: NDArray[np.float64] | None
) -> list[tuple[str, list[int]]]:
    """Return every run of neighbouring bins but the one of all."""
    bins = len(cuts) + 1
    shown = [_shown(cut, column) for cut in cuts]
    found = []
    for first in range(bins):
        for last in range(first, bins):
            if last - first + 1 == bins:
                continue
            text = _between(column.name, shown, first, last)
            if values is not None and first == last:
                text = f"{column.name} = {_shown(values[first], column)}"
            found.append((text, list(range(first + 1, last + 2))))
    return found


def _between(name: str, cuts: list[str], first: int, last: int) -> str:
    if first == 0:
        return f"{name} < {cuts[last]}"
    if last == len(cuts):
        return f"{name} >= {cuts[first - 1]}"
    return f"{cuts[first - 1]} <= {name} < {cuts[last]}"


def _shown(value: float, column: Column) -> str:
    if column.type == "datetime":
        return str(pd.Timestamp(int(value)).isoformat())
    return level_name(float(value))


def _holds(codes: list[int], size: int) -> NDArray[np.bool_]:
    held = np.zeros(size, dtype=bool)
    held[codes] = True
    return held
