"""Split-conformal prediction intervals (Vovk et al., 2005), by kinds of rows (Mondrian; Bostroem & Johansson, 2020).

Rows are put into bins by their prediction; half an interval is that quantile of the absolute errors of a bin's valid
rows which covers a new row of that kind with the wanted probability, whatever the errors' distribution is.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.bundle import PredictionInterval

MIN_ROWS = 100
"""Fewest valid rows of a bin: the coverage that a bin really has is known to about three points then."""


def fitted_interval(
    target: NDArray[Any], prediction: NDArray[Any], coverage: float, bins: int
) -> PredictionInterval | None:
    """Return the intervals that valid rows support, in target units; None where they are too few for any.

    Args:
        target, prediction: values [n].
        coverage: share of new rows that an interval shall hold.
        bins: most kinds of rows.
    """
    count = max(1, min(bins, len(target) // MIN_ROWS))
    edges = np.unique(np.quantile(prediction, np.arange(1, count) / count)) if count > 1 else np.empty(0)
    kind, error = np.searchsorted(edges, prediction, side="right"), np.abs(target - prediction)
    halves = [half_width(error[kind == number], coverage) for number in range(len(edges) + 1)]
    if any(half is None for half in halves):
        whole = half_width(error, coverage)
        return None if whole is None else PredictionInterval(coverage, (), (whole,))
    return PredictionInterval(coverage, tuple(map(float, edges)), tuple(half for half in halves if half is not None))


def half_width(error: NDArray[np.float64], coverage: float) -> float | None:
    """Return the ceil((n + 1) coverage)-th smallest of n absolute errors; None where there are fewer."""
    rank = int(np.ceil((len(error) + 1) * coverage - 1e-9))
    return float(np.partition(error, rank - 1)[rank - 1]) if rank <= len(error) else None
