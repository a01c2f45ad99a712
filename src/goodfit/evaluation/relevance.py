"""How much each column by itself tells about the target: an analysis of variance per column.

Numbers are cut into equally full bins, so that a curve counts as much as a slope. It is a screening of what to show to
a method that cannot look at everything ("Sure Independence Screening": Fan & Lv, 2008), not a judgement of columns:
what only matters together with another column is not seen.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as f_distribution

BINS = 8
MAX_ROWS = 2000
"""Rows that are looked at, evenly spaced; more would rank the columns hardly better."""


def relevance(
    numeric: NDArray[np.float32], categorical: NDArray[np.int64], target: NDArray[Any], classes: int
) -> NDArray[np.float64]:
    """Return minus the log of the p-value of each column's F statistic, numbers first, then codes: [d + c].

    Args:
        numeric, categorical: preprocessed rows, [n, d] and [n, c].
        target: class indices or values, [n].
        classes: number of classes; 0 for regression. Of several classes, the one that a column tells most about counts.
    """
    rows = np.unique(np.linspace(0, max(0, len(target) - 1), MAX_ROWS).astype(np.intp)) if len(target) else slice(0)
    answers = _answers(target[rows], classes)
    columns = [_binned(values) for values in numeric[rows].T]
    columns += [np.unique(values, return_inverse=True)[1] for values in categorical[rows].T]
    told = np.array([_told(codes, answers) for codes in columns]).reshape(-1, 3)
    return np.asarray(-f_distribution.logsf(told[:, 0], told[:, 1], told[:, 2]))


def _answers(target: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Return what is explained, with mean 0: [n, classes] or [n, 1]."""
    found = np.eye(classes)[target] if classes else np.asarray(target, dtype=np.float64)[:, None]
    return np.asarray(found - found.mean(axis=0))


def _binned(values: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the bin of each value; equal values share one, and bins are about equally full."""
    ordered = np.sort(values)
    edges = np.unique(ordered[np.arange(1, BINS) * len(ordered) // BINS])
    return np.searchsorted(edges, values, side="right")


def _told(codes: NDArray[np.intp], answers: NDArray[np.float64]) -> tuple[float, int, int]:
    """Return the F statistic and its degrees of freedom; a statistic of 0 for a column that cannot tell anything."""
    counts = np.bincount(codes)
    groups, rows = int(np.count_nonzero(counts)), len(codes)
    if groups < 2 or rows <= groups:
        return 0.0, 1, 1
    sums = np.stack([np.bincount(codes, answer) for answer in answers.T], axis=1)
    between = (sums**2 / np.maximum(counts, 1)[:, None]).sum(axis=0)
    within = np.maximum((answers**2).sum(axis=0) - between, 1e-12)
    statistic = float(np.max(between / within)) * (rows - groups) / (groups - 1)
    return statistic, groups - 1, rows - groups
