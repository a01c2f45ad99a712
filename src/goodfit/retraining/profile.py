"""What a sample of rows looked like, column by column, in a few numbers: the reference that drift is measured from."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Table
from goodfit.preprocessing.reading import read_levels, read_numbers

BINS = 10
MOST_LEVELS = 50
"""Levels that are counted by name, the most frequent; the rest is one more."""
FEW_VALUES = 20
"""A numeric column of so few distinct values is counted value by value."""
MOST_ROWS = 200_000
"""A longer table is read in equal steps: the tenth of a per cent that this costs is far below what matters."""
PREDICTION = "(prediction)"
"""The name under which a model's answers are profiled, beside the columns."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ColumnProfile:
    """Counts of one column.

    Args:
        kind: numeric (by `edges`) or levels.
        edges: rising inner edges of the bins; a value equal to an edge lies below it.
        levels: text of each counted level.
        counts: rows by bin, or by level and then of all others; rows without a value are in none.
        missing: rows without a value.
    """

    kind: str
    edges: tuple[float, ...]
    levels: tuple[str, ...]
    counts: tuple[float, ...]
    missing: float

    @property
    def rows(self) -> float:
        """All rows."""
        return float(sum(self.counts)) + self.missing

    def count(self, values: pd.Series) -> tuple[Floats, float]:
        """Return the counts of other values in the same bins, and how many are missing.

        Raises:
            DataError: values that do not fit the column's kind.
        """
        if self.kind == "numeric":
            numbers = read_numbers(values)
            present = numbers[np.isfinite(numbers)]
            bins = np.searchsorted(np.asarray(self.edges), present, side="left")
            return np.bincount(bins, minlength=len(self.edges) + 1).astype(np.float64), float(
                len(numbers) - len(present)
            )
        positions, names = read_levels(values)
        index = {name: number for number, name in enumerate(self.levels)}
        place = np.array([index.get(name, len(self.levels)) for name in names] or [0], dtype=np.int64)
        found = place[positions[positions >= 0]]
        counts = np.bincount(found, minlength=len(self.levels) + 1).astype(np.float64)
        return counts, float((positions < 0).sum())


@dataclass(frozen=True)
class Profile:
    """The columns of a sample.

    Args:
        rows: of the sample.
        columns: name to counts; `PREDICTION` stands for a model's answers on rows it was not trained on.
    """

    rows: int
    columns: Mapping[str, ColumnProfile]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return {"rows": self.rows, "columns": {name: asdict(column) for name, column in self.columns.items()}}

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> "Profile":
        """Rebuild a profile from `to_dict`; raise ValueError, TypeError or KeyError where it is none."""
        columns = {
            str(name): ColumnProfile(
                str(column["kind"]),
                tuple(float(edge) for edge in column["edges"]),
                tuple(str(level) for level in column["levels"]),
                tuple(float(count) for count in column["counts"]),
                float(column["missing"]),
            )
            for name, column in tree["columns"].items()
        }
        return cls(int(tree["rows"]), columns)


def profile_of(table: Table, answers: pd.Series | None = None) -> Profile:
    """Return the profile of a table's features and target, and of a model's answers.

    Dates are left out: they move on by themselves.
    """
    frame = thinned(table.frame)
    named = [column for column in table.schema.columns if column.role in ("feature", "target")]
    columns = {c.name: column_profile(frame[c.name], c.type) for c in named if c.type != "datetime"}
    if answers is not None:
        columns[PREDICTION] = column_profile(answers, "numeric" if answers.dtype == np.float64 else "categorical")
    return Profile(len(table), columns)


def column_profile(values: pd.Series, kind: str) -> ColumnProfile:
    """Return the counts of one column: bins of equally many rows, or levels."""
    if kind == "numeric":
        numbers = read_numbers(values)
        present = numbers[np.isfinite(numbers)]
        if len(np.unique(present[:MOST_ROWS])) > FEW_VALUES:
            edges = np.unique(np.quantile(present, np.arange(1, BINS) / BINS, method="lower"))
            blank = ColumnProfile("numeric", tuple(float(edge) for edge in edges), (), (), 0.0)
            return _counted(blank, values)
    positions, names = read_levels(values)
    frequency = np.bincount(positions[positions >= 0], minlength=len(names))
    most = sorted(range(len(names)), key=lambda i: (-frequency[i], names[i]))[:MOST_LEVELS]
    return _counted(ColumnProfile("levels", (), tuple(names[i] for i in most), (), 0.0), values)


def answers_of(predictions: Floats) -> pd.Series:
    """Return what is profiled of predictions: the value, the second class's probability, or the class of several."""
    if predictions.ndim == 1:
        return pd.Series(predictions, dtype=np.float64)
    if predictions.shape[1] == 2:
        return pd.Series(predictions[:, 1], dtype=np.float64)
    return pd.Series(predictions.argmax(axis=1).astype(str))


def thinned(frame: pd.DataFrame) -> pd.DataFrame:
    """Return at most MOST_ROWS rows, in equal steps."""
    step = -(-len(frame) // MOST_ROWS)
    return frame.iloc[::step] if step > 1 else frame


def _counted(blank: ColumnProfile, values: pd.Series) -> ColumnProfile:
    counts, missing = blank.count(values)
    return ColumnProfile(blank.kind, blank.edges, blank.levels, tuple(_plain(counts)), missing)


def _plain(counts: Iterable[float]) -> list[float]:
    return [float(count) for count in counts]
