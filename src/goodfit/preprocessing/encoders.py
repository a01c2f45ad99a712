"""What the training rows taught about each column, and how it turns values into numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.preprocessing.reading import read_levels, read_numbers, read_truths
from goodfit.preprocessing.scaling import Floats, Scaling, scaling_from_dict

MISSING_CODE = 0
UNKNOWN_CODE = 1
RESERVED_CODES = 2


class Dense(Protocol):
    """A fitted column that becomes one or more float columns."""

    @property
    def column(self) -> str:
        """Name of the raw column."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the float columns."""

    @property
    def measured(self) -> tuple[bool, ...]:
        """Whether each float column is a scaled number."""

    def write(self, values: pd.Series, out: NDArray[np.float32]) -> None:
        """Fill `out` [n, len(names)] from raw values [n]."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able state."""


@dataclass(frozen=True)
class Measure:
    """A scaled number; gaps take the training median.

    Attributes:
        fill: what a gap is replaced by, in the column's units.
        scaling: from the column's units to about unit size.
    """

    fill: float
    scaling: Scaling

    def apply(self, values: Floats) -> Floats:
        """Map values [n], NaN where missing."""
        missing = np.isnan(values)
        return self.scaling.apply(np.where(missing, self.fill, values) if missing.any() else values)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able state."""
        return {"fill": self.fill, "scaling": self.scaling.to_dict()}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> "Measure":
        """Rebuild a measure from `to_dict`."""
        return cls(float(state["fill"]), scaling_from_dict(state["scaling"]))


@dataclass(frozen=True)
class Numeric:
    """A numeric column: its scaled value, and where it is missing."""

    column: str
    measure: Measure | None
    indicator: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column, its indicator, or both."""
        return ((self.column,) if self.measure else ()) + indicator_names(self.column, self.indicator)

    @property
    def measured(self) -> tuple[bool, ...]:
        """Return true for the value, false for the indicator."""
        return ((True,) if self.measure else ()) + ((False,) if self.indicator else ())

    def write(self, values: pd.Series, out: NDArray[np.float32]) -> None:
        """Fill `out` [n, len(names)]."""
        found = read_numbers(values)
        if self.measure:
            out[:, 0] = self.measure.apply(found)
        if self.indicator:
            out[:, -1] = np.isnan(found)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able state."""
        measure = self.measure.to_dict() if self.measure else None
        return {"type": "numeric", "column": self.column, "measure": measure, "indicator": self.indicator}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> "Numeric":
        """Rebuild the column from `to_dict`."""
        measure = Measure.from_dict(state["measure"]) if state["measure"] else None
        return cls(str(state["column"]), measure, bool(state["indicator"]))


@dataclass(frozen=True)
class Boolean:
    """A truth value as 1, false as -1, missing as 0, and where it is missing."""

    column: str
    varies: bool
    indicator: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column, its indicator, or both."""
        return ((self.column,) if self.varies else ()) + indicator_names(self.column, self.indicator)

    @property
    def measured(self) -> tuple[bool, ...]:
        """Return false for both."""
        return (False,) * len(self.names)

    def write(self, values: pd.Series, out: NDArray[np.float32]) -> None:
        """Fill `out` [n, len(names)]."""
        found = read_truths(values)
        if self.varies:
            out[:, 0] = np.nan_to_num(2 * found - 1, nan=0.0)
        if self.indicator:
            out[:, -1] = np.isnan(found)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able state."""
        return {"type": "boolean", "column": self.column, "varies": self.varies, "indicator": self.indicator}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> "Boolean":
        """Rebuild the column from `to_dict`."""
        return cls(str(state["column"]), bool(state["varies"]), bool(state["indicator"]))


@dataclass(frozen=True)
class Categorical:
    """Codes of a categorical column: 0 missing, 1 unknown, 2 and up the levels of the training rows."""

    column: str
    levels: tuple[str, ...]

    @property
    def cardinality(self) -> int:
        """Number of codes."""
        return RESERVED_CODES + len(self.levels)

    def codes(self, values: pd.Series) -> NDArray[np.int64]:
        """Return [n] codes."""
        positions, names = read_levels(values)
        known = {level: code for code, level in enumerate(self.levels, start=RESERVED_CODES)}
        # The last entry is what position -1, a missing value, picks.
        table = np.array([*(known.get(name, UNKNOWN_CODE) for name in names), MISSING_CODE], dtype=np.int64)
        return table[positions]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able state."""
        return {"type": "categorical", "column": self.column, "levels": list(self.levels)}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> "Categorical":
        """Rebuild the column from `to_dict`."""
        return cls(str(state["column"]), tuple(map(str, state["levels"])))


def indicator_names(column: str, indicator: bool) -> tuple[str, ...]:
    """Return the name of a missing indicator, if there is one."""
    return (f"{column}.missing",) if indicator else ()
