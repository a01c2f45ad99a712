"""Deal whole units out by shares of the rows."""

import numpy as np
from numpy.typing import NDArray

from goodfit.splits.base import Codes, Fractions, Units

PARTS = 3
Integers = NDArray[np.int64]


def allocate(units: Units, fractions: Fractions, seed: int, strata: Integers | None = None) -> Codes:
    """Shuffle the units and cut them where the shares of the rows are reached, within each stratum.

    Each cut is off by at most half a unit. A stratum of three units or more, and the whole, reaches every split.

    Args:
        units: [n] number of each row's unit, from 0 without gaps.
        fractions: shares of train, valid and test.
        seed: seed of the shuffle.
        strata: [n] stratum of each row; a unit counts to the stratum of its last row.

    Returns:
        [n] 0, 1 or 2.
    """
    sizes = np.bincount(units)
    order = np.random.default_rng(seed).permutation(len(sizes))
    counts = np.array([len(sizes)])
    if strata is not None:
        stratum = np.zeros(len(sizes), dtype=np.min_scalar_type(int(strata.max(initial=0))))
        stratum[units] = strata
        counts = np.bincount(stratum)
        order = order[np.argsort(stratum[order], kind="stable")]
    codes = np.empty(len(sizes), dtype=np.int8)
    codes[order] = cut(sizes[order], fractions, counts)
    return codes[units]


def cut(sizes: Integers, fractions: Fractions, counts: Integers) -> Codes:
    """Return the split of units that stand in order, stratum after stratum: that in which each unit's middle lies.

    Args:
        sizes: [k] rows of each unit.
        fractions: shares of train, valid and test.
        counts: units of each stratum; they sum to k.
    """
    codes = np.zeros(len(sizes), dtype=np.int8)
    start = 0
    for count in counts[counts > 0].tolist():
        part, its_sizes = codes[start : start + count], sizes[start : start + count]
        ends = np.cumsum(its_sizes)
        for share in np.cumsum(fractions[:2]):
            part[np.searchsorted(ends - its_sizes / 2, share * ends[-1]) :] += 1
        _fill(part, its_sizes)
        start += count
    _fill(codes, sizes)
    return codes


def _fill(codes: Codes, sizes: Integers) -> None:
    """Give each empty split the smallest unit of the split that has most units, if there are units enough."""
    counts = np.bincount(codes, minlength=PARTS)
    if len(codes) < PARTS or counts.all():
        return
    for empty in np.flatnonzero(counts == 0)[::-1]:
        donors = np.flatnonzero(codes == np.bincount(codes, minlength=PARTS).argmax())
        codes[donors[sizes[donors].argmin()]] = empty
