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
SPANS = {"year": 86_400, "month": 86_400, "day_of_week": 86_400, "hour": 3_600}
"""The seconds within which a part does not change."""
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


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
        drawn: dict[int, tuple[pd.Series, NDArray[np.int64] | None]] = {}
        position = 0
        for part in (*self.measures, *self.cycles):
            span = SPANS.get(part, 0)
            if span not in drawn:
                drawn[span] = _distinct(times, span)
            distinct, places = drawn[span]
            for found in self._floats(distinct, part):
                out[:, position] = found if places is None else found[places]
                position += 1
        if self.indicator:
            out[:, -1] = times.isna()

    def _floats(self, times: pd.Series, part: str) -> NDArray[np.float32]:
        """Return the float columns [1 or 2, n] of one part."""
        values = read_part(times, part, self.start)
        found = self.measures[part].apply(values)[None] if part in self.measures else _on_circle(values, part)
        return found.astype(np.float32)

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


def _distinct(times: pd.Series, span: int) -> tuple[pd.Series, NDArray[np.int64] | None]:
    """Return every span of seconds from the first to the last time, then a missing one, and the place [n] of each time.

    Where rows share spans, each is worked out once. Where they would be more than the rows, the times themselves are
    returned, and no places; likewise without a span.
    """
    held = times.to_numpy()
    missing = np.isnat(held)
    if not span or missing.all():
        return times, None
    numbers = held.view(np.int64) // (span * PER_SECOND[np.datetime_data(held.dtype)[0]])
    if missing.any():
        numbers = np.where(missing, numbers[~missing][0], numbers)
    first, last = int(numbers.min()), int(numbers.max())
    if last - first >= len(times):
        return times, None
    distinct = np.append(span * np.arange(first, last + 1), 0).astype("datetime64[s]")
    distinct[-1] = np.datetime64("NaT")
    return pd.Series(distinct), np.where(missing, len(distinct) - 1, numbers - first)


def _on_circle(values: Floats, cycle: str) -> NDArray[np.float64]:
    first, turn = CYCLES[cycle]
    angles = 2 * np.pi * np.arange(turn) / turn
    # Looked up, not computed per row: the sine of one row and of many must be the same to the last bit.
    places = np.where(np.isnan(values), turn, values - first).astype(np.int64)
    return np.stack([np.append(wave(angles), 0.0)[places] for wave in (np.sin, np.cos)])
