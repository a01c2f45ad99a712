"""A fixed sample of rows: what does not hold there need not be looked for in the whole table."""

from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FEW = 1 << 12
MANY = 1 << 18
Sampled = TypeVar("Sampled", pd.Series, pd.DataFrame)


def sample_of(rows: int, size: int = FEW) -> NDArray[np.int64]:
    """Return up to `size` row numbers, ascending and without repetition, the same for the same number of rows."""
    if rows <= size:
        return np.arange(rows, dtype=np.int64)
    return np.sort(np.random.default_rng(0).choice(rows, size, replace=False, shuffle=False))


def sampled(values: Sampled, size: int = FEW) -> Sampled:
    """Return those rows of a column or frame."""
    return values.iloc[sample_of(len(values), size)]
