"""Rows as a table that a person can look up: their number, their ids, and their values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Table

MAX_FEATURES = 20


def listed(table: Table, rows: NDArray[np.intp], said: Mapping[str, Sequence[Any] | NDArray[Any]]) -> pd.DataFrame:
    """Return a line per row: number in the split's file from 0, ids, what is said of it, target, first features.

    Args:
        table: the split.
        rows: row numbers, [m].
        said: heading to cells, [m] each.
    """
    schema = table.schema
    named = [*schema.names("id"), *schema.names("group"), *schema.names("time")]
    shown = [schema.target.name, *(column.name for column in schema.features[:MAX_FEATURES])]
    taken = {"row", *said}
    frame = table.frame.iloc[rows]
    columns: dict[str, Any] = {"row": rows}
    columns |= {_apart(name, taken): frame[name].to_numpy(dtype=object) for name in named}
    columns |= {name: np.asarray(cells) for name, cells in said.items()}
    columns |= {_apart(name, taken): frame[name].to_numpy(dtype=object) for name in shown if name not in named}
    return pd.DataFrame(columns)


def _apart(name: str, taken: set[str]) -> str:
    return f"{name} (column)" if name in taken else name
