"""The fitted preprocessing of a whole row."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.errors import DataError, Fault
from goodfit.preprocessing.datetimes import Datetime
from goodfit.preprocessing.encoders import Boolean, Categorical, Dense, Numeric
from goodfit.preprocessing.layout import Layout
from goodfit.preprocessing.targets import Target, target_from_dict

CHUNK = 1 << 17
"""Rows converted at a time, so that temporary arrays stay small beside the result."""


@dataclass(frozen=True)
class Arrays:
    """Preprocessed rows: `numeric` float32 [n, d] and `categorical` int64 codes [n, c]."""

    numeric: NDArray[np.float32]
    categorical: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numeric)


@dataclass(frozen=True)
class Preprocessor:
    """What was learned from the training rows; the same for every split and for new rows.

    Attributes:
        dense: columns that become floats.
        coded: columns that become codes.
        target: how the target is encoded.
        notes: what was dropped and why, for reports and the screen.
    """

    dense: tuple[Dense, ...]
    coded: tuple[Categorical, ...]
    target: Target
    notes: tuple[str, ...] = ()

    @property
    def numeric_names(self) -> list[str]:
        """Return the names of the columns of `Arrays.numeric`."""
        return [name for column in self.dense for name in column.names]

    @property
    def categorical_names(self) -> list[str]:
        """Return the names of the columns of `Arrays.categorical`."""
        return [column.column for column in self.coded]

    @property
    def cardinalities(self) -> list[int]:
        """Return the number of codes of each column of `Arrays.categorical`."""
        return [column.cardinality for column in self.coded]

    @property
    def layout(self) -> Layout:
        """Return which raw column each column of `Arrays` comes from, numbered in the order of `columns`."""
        return Layout.of([column.measured for column in self.dense], len(self.coded))

    @property
    def columns(self) -> list[str]:
        """Return the raw columns that `transform` reads."""
        return [column.column for column in self.dense] + self.categorical_names

    def transform(self, frame: pd.DataFrame) -> Arrays:
        """Convert raw rows; each row's result depends on that row alone. Extra columns and column order do not matter.

        Raises:
            DataError: with every column that is missing, doubled or of a wrong type.
        """
        checked_columns(frame, self.columns)
        numeric = np.empty((len(frame), len(self.numeric_names)), dtype=np.float32)
        codes = np.empty((len(frame), len(self.coded)), dtype=np.int64)
        faults: list[Fault] = []
        start = 0
        for dense in self.dense:
            out = numeric[:, start : start + len(dense.names)]
            faults += _by_chunks(frame[dense.column], out, dense.write)
            start += len(dense.names)
        for position, coded in enumerate(self.coded):
            faults += _by_chunks(frame[coded.column], codes[:, position], _codes_writer(coded))
        if faults:
            raise DataError(faults)
        return Arrays(numeric, codes)

    def encode_target(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Return int64 class indices [n], or float32 standardised values [n].

        Raises:
            DataError: the target is not there, has gaps, an unknown class or a value that is no finite number.
        """
        checked_columns(frame, [self.target.column])
        return self.target.encode(frame[self.target.column])

    def decode_target(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the classes of indices [n], or the target's own units of standardised values [n]."""
        return self.target.decode(values)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole state as JSON-able values; JSON keeps every float to its last bit."""
        return {
            "dense": [column.to_dict() for column in self.dense],
            "coded": [column.to_dict() for column in self.coded],
            "target": self.target.to_dict(),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> "Preprocessor":
        """Rebuild a preprocessor from `to_dict`.

        Raises:
            DataError: the state is not what `to_dict` gives.
        """
        try:
            dense = tuple(_DENSE[column["type"]](column) for column in state["dense"])
            coded = tuple(Categorical.from_dict(column) for column in state["coded"])
            return cls(dense, coded, target_from_dict(state["target"]), tuple(map(str, state["notes"])))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            rule = f"is not a preprocessor's state ({type(error).__name__}: {error})"
            raise DataError([Fault("preprocessing", rule, None, "Train again: dvc repro.")]) from error


_DENSE: dict[str, Callable[[Mapping[str, Any]], Dense]] = {
    "numeric": Numeric.from_dict,
    "boolean": Boolean.from_dict,
    "datetime": Datetime.from_dict,
}


def checked_columns(frame: pd.DataFrame, wanted: Sequence[str]) -> None:
    """Raise DataError with every wanted column that is not there, or there twice."""
    found = Counter(frame.columns)
    faults = [
        Fault(f"column '{name}'", "is missing", None, "Give every column of training.")
        for name in wanted
        if not found[name]
    ]
    faults += [Fault(f"column '{name}'", "is there twice", None, "Rename one.") for name in wanted if found[name] > 1]
    if faults:
        raise DataError(faults)


def _by_chunks(values: pd.Series, out: NDArray[Any], write: Callable[[pd.Series, NDArray[Any]], None]) -> list[Fault]:
    try:
        for start in range(0, len(values), CHUNK):
            write(values.iloc[start : start + CHUNK], out[start : start + CHUNK])
    except DataError as error:
        return list(error.faults)
    return []


def _codes_writer(column: Categorical) -> Callable[[pd.Series, NDArray[Any]], None]:
    def write(values: pd.Series, out: NDArray[Any]) -> None:
        out[:] = column.codes(values)

    return write
