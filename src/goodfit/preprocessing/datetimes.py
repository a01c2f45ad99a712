"""The parts of a date and time that a model can use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.preprocessing.encoders import Measure, indicator_names
from goodfit.preprocessing.reading import read_times
from goodfit.preprocessing.scaling import Floats

# part: (first value, number of values in one turn)
CYCLES = {"month": (1, 12), "day_of_week": (0, 7), "hour": (0, 24)}


@dataclass(frozen=True)
class Datetime:
    """A time as year, elapsed seconds since the first training time, month, day of week and hour.

    Attributes:
        column: name of the raw column.
        start: the first training time, ISO 8601.
        measures: parts that are scaled numbers.
        cycles: parts that are a sine and a cosine; a missing one is the circle's centre, (0, 0).
        indicator: whether a column says where the time is missing.
    """

    column: str
    start: str
    measures: Mapping[str, Measure]
    cycles: tuple[str, ...]
    indicator: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the float columns."""
        waves = [f"{self.column}.{cycle}_{wave}" for cycle in self.cycles for wave in ("sin", "cos")]
        scaled = [f"{self.column}.{part}" for part in self.measures]
        return (*scaled, *waves, *indicator_names(self.column, self.indicator))

    @property
    def measured(self) -> tuple[bool, ...]:
        """Return true for the scaled numbers, false for places on a circle and the indicator."""
        return (True,) * len(self.measures) + (False,) * (len(self.names) - len(self.measures))

    def write(self, values: pd.Series, out: NDArray[np.float32]) -> None:
        """Fill `out` [n, len(names)]."""
        times = read_times(values)
        position = 0
        for part, measure in self.measures.items():
            out[:, position] = measure.apply(read_part(times, part, self.start))
            position += 1
        for cycle in self.cycles:
            out[:, position : position + 2] = _on_circle(read_part(times, cycle, self.start), cycle)
            position += 2
        if self.indicator:
            out[:, -1] = times.isna()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able state."""
        return {
            "type": "datetime",
            "column": self.column,
            "start": self.start,
            "measures": [[part, measure.to_dict()] for part, measure in self.measures.items()],
            "cycles": list(self.cycles),
            "indicator": self.indicator,
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> "Datetime":
        """Rebuild the column from `to_dict`."""
        measures = {str(part): Measure.from_dict(measure) for part, measure in state["measures"]}
        cycles = tuple(map(str, state["cycles"]))
        return cls(str(state["column"]), str(state["start"]), measures, cycles, bool(state["indicator"]))


def read_part(times: pd.Series, part: str, start: str) -> Floats:
    """Return one part of times [n] as float64, NaN where missing; `elapsed` is in seconds since `start`."""
    readers: dict[str, Callable[[], pd.Series]] = {
        "year": lambda: times.dt.year,
        "month": lambda: times.dt.month,
        "day_of_week": lambda: times.dt.day_of_week,
        "hour": lambda: times.dt.hour,
        "elapsed": lambda: (times - pd.Timestamp(start)).dt.total_seconds(),
    }
    return readers[part]().to_numpy(dtype=np.float64, na_value=np.nan)


def _on_circle(values: Floats, cycle: str) -> NDArray[np.float64]:
    first, turn = CYCLES[cycle]
    angles = 2 * np.pi * np.arange(turn) / turn
    # Looked up, not computed per row: the sine of one row and of many must be the same to the last bit.
    points = np.vstack([np.column_stack([np.sin(angles), np.cos(angles)]), [[0.0, 0.0]]])
    return points[np.where(np.isnan(values), turn, values - first).astype(np.int64)]
