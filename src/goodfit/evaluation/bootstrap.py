"""Bootstrap resamples: what figures might have been on other rows of the same kind.

Rows (or whole groups, or stretches of time) are drawn anew by weighting each with an independent Poisson count: the
Poisson bootstrap (Hanley & MacGibbon, 2006; Chamandy et al., 2012), which agrees with drawing with replacement once
there are more than a few dozen units, needs no index arrays, and can be made in blocks. Memory: a few arrays of CELLS
numbers. What becomes of the resamples is in intervals.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp, factorial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from goodfit.evaluation.intervals import Sample, accelerated, expanded, percentile
from goodfit.evaluation.stretches import Stretches
from goodfit.metrics.base import FloatArray, Weighted

CELLS = 1 << 23
"""Weights made at a time (64 MiB); more rows mean fewer resamples at a time, at least one."""

LEVELS = 1 << 16
_cumulated = np.cumsum([exp(-1) / factorial(count) for count in range(16)])
COUNTS = np.searchsorted(_cumulated, (np.arange(LEVELS) + 0.5) / LEVELS).astype(np.float64)
"""Poisson(1) counts by their quantile: looking one up is ten times cheaper than drawing it; off by less than 1e-5."""

PARTS = 200
"""Parts of the rows that are left out one after the other, to learn how skewed a figure's influences are."""

Key = TypeVar("Key")


@dataclass(frozen=True)
class Resampling:
    """How the rows of one split are drawn anew.

    Args:
        rows: number of rows n.
        resamples: number of draws.
        level: share of the draws that an interval holds.
        seed: of the draws; the same for all that is compared.
        groups: group of each row [n], as codes from 0, where rows of a group are drawn together.
        stretches: the rows' order in time, where rows that follow each other are drawn together; groups win over it.
    """

    rows: int
    resamples: int
    level: float
    seed: int | tuple[int, ...]
    groups: NDArray[np.intp] | None = None
    stretches: Stretches | None = None

    @property
    def units(self) -> int:
        """How many things are drawn independently of each other: rows, groups, or stretches of rows."""
        if self.groups is not None:
            return int(self.groups.max(initial=-1)) + 1
        return self.rows if self.stretches is None else self.stretches.count

    def weights(self) -> Iterator[FloatArray]:
        """Yield the row weights of all resamples, a block [n, b] at a time; a block is overwritten by the next."""
        generator = np.random.default_rng(self.seed)
        width = max(1, min(self.resamples, CELLS // max(1, self.rows)))
        block = np.empty((self.rows if self.groups is None else self.units, width))
        for start in range(0, self.resamples, width):
            if self.groups is None and self.stretches is not None:
                yield self.stretches.weights(generator, min(width, self.resamples - start))
                continue
            drawn = generator.integers(0, LEVELS, block.shape, dtype=np.uint16)
            np.take(COUNTS, drawn, out=block, mode="clip")
            counts = block[:, : self.resamples - start]
            yield counts if self.groups is None else counts[self.groups]

    def replicates(self, figures: Mapping[Key, Weighted]) -> dict[Key, FloatArray]:
        """Return the value of every figure on every resample; figures share the resamples, so they can be compared."""
        return _over(self.weights(), figures)

    def samples(self, figures: Mapping[Key, Weighted]) -> dict[Key, Sample]:
        """Return every figure's value, its replicates, and its values with a part of the rows left out."""
        whole, drawn = _over(iter([np.ones((self.rows, 1))]), figures), self.replicates(figures)
        parted = _over(self._left_out(), figures)
        return {key: Sample(float(whole[key][0]), drawn[key], parted[key]) for key in figures}

    def interval(self, replicates: FloatArray) -> tuple[float, float]:
        """Return the percentile interval, over the resamples on which the figure is defined."""
        return percentile(replicates, self.level)

    def bounds(self, sample: Sample) -> tuple[float, float]:
        """Return the interval of a sample: bias-corrected, accelerated, expanded for few units; NaN where undefined."""
        return accelerated(sample, expanded(self.level, self.units))

    def _left_out(self) -> Iterator[FloatArray]:
        """Yield row weights [n, b] that are 0 for one part of the rows and 1 for the rest: a jackknife by parts.

        The skewness of means over parts tells that of single units: parts of m units are less skewed by the square
        root of m, and there are m times fewer of them, so that the acceleration, skewness / (6 sqrt(count)), is equal.
        """
        count = min(PARTS, self.units)
        part = self._parts(count)
        width = max(1, CELLS // max(1, self.rows))
        for start in range(0, count, width):
            yield (part[:, None] != np.arange(start, min(start + width, count))).astype(np.float64)

    def _parts(self, count: int) -> NDArray[np.intp]:
        """Return the part of each row [n]; a group, or a stretch of time, is in one part."""
        if self.groups is not None:
            return self.groups % max(1, count)
        if self.stretches is not None:
            return self.stretches.place * count // max(1, self.rows)
        return np.arange(self.rows) % max(1, count)


def _over(blocks: Iterator[FloatArray], figures: Mapping[Key, Weighted]) -> dict[Key, FloatArray]:
    values: dict[Key, list[FloatArray]] = {key: [] for key in figures}
    for weights in blocks:
        for key, figure in figures.items():
            values[key].append(figure(weights))
    return {key: np.concatenate(parts) if parts else np.empty(0) for key, parts in values.items()}


def group_codes(groups: NDArray[Any] | None) -> NDArray[np.intp] | None:
    """Return groups as codes from 0."""
    return None if groups is None else np.unique(groups, return_inverse=True)[1]
