"""The record of what was asked over HTTP, as a retrain needs it; the command knows where it lies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from goodfit.bundle import Bundle


@dataclass(frozen=True)
class Served:
    """The record.

    Args:
        state: changes when rows have come; "" where there are none.
        rows: of a version, given its model and its number.
    """

    state: Callable[[], str]
    rows: "Callable[[Bundle, int], pd.DataFrame]"
