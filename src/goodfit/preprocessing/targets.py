"""The target as class indices or as a standardised number, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Schema, Table
from goodfit.errors import DataError, Fault
from goodfit.preprocessing.reading import level_name, read_levels, read_numbers
from goodfit.preprocessing.scaling import moments


@dataclass(frozen=True)
class Classes:
    """A target of classes, in the schema's order."""

    column: str
    classes: tuple[str, ...]

    def encode(self, values: pd.Series) -> NDArray[np.int64]:
        """Return [n] class indices.

        Raises:
            DataError: a missing value, or a class that the schema does not know.
        """
        positions, names = read_levels(values)
        refuse_gaps(self.column, int((positions < 0).sum()))
        known = {_as_number(name): index for index, name in enumerate(self.classes)}
        known |= {name: index for index, name in enumerate(self.classes)}
        table = np.array([known.get(name, -1) for name in names], dtype=np.int64)
        codes = table[positions] if len(names) else positions
        if (codes < 0).any():
            wrong = names[int(positions[codes.argmin()])]
            remedy = f"Known: {', '.join(self.classes[:20])}."
            raise DataError([Fault(f"column '{self.column}'", "holds an unknown class", wrong, remedy)])
        return codes

    def decode(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Return the classes [n] of indices [n]."""
        decoded: NDArray[Any] = np.asarray(self.classes, dtype=object)[codes]
        return decoded

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able state."""
        return {"type": "classes", "column": self.column, "classes": list(self.classes)}


@dataclass(frozen=True)
class Standardized:
    """A numeric target, less the training mean, over the training standard deviation."""

    column: str
    mean: float
    deviation: float

    def encode(self, values: pd.Series) -> NDArray[np.float32]:
        """Return [n] standardised values.

        Raises:
            DataError: a missing or infinite value, or one that is no number.
        """
        found = finite_numbers(self.column, values)
        return ((found - self.mean) / self.deviation).astype(np.float32)

    def decode(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values [n] in the target's units."""
        return np.asarray(values, dtype=np.float64) * self.deviation + self.mean

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able state."""
        return {"type": "standardized", "column": self.column, "mean": self.mean, "deviation": self.deviation}


Target = Classes | Standardized


def fit_target(table: Table) -> Target:
    """Fit the target of training rows."""
    schema: Schema = table.schema
    name = schema.target.name
    if schema.task != "regression":
        return Classes(name, schema.classes)
    return Standardized(name, *moments(finite_numbers(name, table.frame[name])))


def target_from_dict(state: Mapping[str, Any]) -> Target:
    """Rebuild a target from `to_dict`."""
    if state["type"] == "classes":
        return Classes(str(state["column"]), tuple(map(str, state["classes"])))
    return Standardized(str(state["column"]), float(state["mean"]), float(state["deviation"]))


def finite_numbers(column: str, values: pd.Series) -> NDArray[np.float64]:
    """Return a target as finite float64 [n]; raise DataError otherwise."""
    found = read_numbers(values)
    refuse_gaps(column, int(np.isnan(found).sum()))
    infinite = int(np.isinf(found).sum())
    if infinite:
        rule = f"is the target and infinite in {infinite} rows"
        raise DataError([Fault(f"column '{column}'", rule, None, "Remove the rows, or mend them at the source.")])
    return found


def refuse_gaps(column: str, gaps: int) -> None:
    """Raise DataError if a target has gaps."""
    if gaps:
        rule = f"is the target and missing in {gaps} rows"
        raise DataError([Fault(f"column '{column}'", rule, None, "Remove the rows, or name another target.")])


def _as_number(name: str) -> str:
    """Return the class '1.0' of a column with a fraction as '1', as the same value reads without one."""
    try:
        return level_name(float(name))
    except ValueError:
        return name
