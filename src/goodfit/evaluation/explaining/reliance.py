"""Which columns get a closer look where there are too many for one: those that the model relies on most."""

from collections.abc import Iterable

import numpy as np

from goodfit.bundle import Bundle
from goodfit.errors import ConfigurationError
from goodfit.evaluation.explaining.blocks import blocks_of
from goodfit.evaluation.explaining.gradients import Attributor
from goodfit.preprocessing import Arrays

ROWS = 200
"""Rows whose gradients are looked at."""


MAX_CELLS = 300_000_000
"""Preprocessed numbers that a closer look at columns puts through the model, all passes together."""
FEWEST_COLUMNS = 20


def affordable(arrays: Arrays, passes: int) -> int:
    """Return how many columns can be looked at, one by one, with so many passes of all rows through the model each."""
    cells = arrays.numeric.size + arrays.categorical.size
    return max(FEWEST_COLUMNS, MAX_CELLS // max(1, passes * cells))


def relied_on(bundle: Bundle, arrays: Arrays, most: int) -> list[str]:
    """Return at most so many raw columns, in the order of the preprocessed ones.

    Where there are more, those that the gradients of the first ROWS rows point to; the first ones where the model's
    inputs do not pass through one encoding, so that no gradient can be told for a column.
    """
    names = list(blocks_of(bundle.preprocessor))
    if len(names) <= most:
        return names
    rows = Arrays(arrays.numeric[:ROWS], arrays.categorical[:ROWS])
    try:
        found = Attributor(bundle, rows).reliance(rows)
    except ConfigurationError:
        return names[:most]
    places = np.argsort([-found[name] for name in names], kind="stable")[:most]
    return [names[place] for place in np.sort(places)]


def left_out(kept: Iterable[str], columns: int, done: str) -> str:
    """Return a sentence about the columns that got no closer look; nothing if all did."""
    count = len(list(kept))
    if count >= columns:
        return ""
    return f" Only {count:,} of {columns:,} columns were {done}: those that the model relies on most, by its gradients."
