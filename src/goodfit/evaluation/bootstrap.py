"""Bootstrap intervals: what a figure might have been on other rows of the same kind.

Rows (or whole groups of rows) are drawn anew by weighting each with an independent Poisson(1) count: the Poisson
bootstrap (Hanley & MacGibbon, 2006; Chamandy et al., 2012), which agrees with drawing with replacement once there are
more than a few dozen rows, needs no index arrays, and can be made in blocks. Memory: a few arrays of CELLS numbers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp, factorial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import FloatArray, Weighted

CELLS = 1 << 23
"""Weights made at a time (64 MiB); more rows mean fewer resamples at a time, at least one."""

LEVELS = 1 << 16
_cumulated = np.cumsum([exp(-1) / factorial(count) for count in range(16)])
COUNTS = np.searchsorted(_cumulated, (np.arange(LEVELS) + 0.5) / LEVELS).astype(np.float64)
"""Poisson(1) counts by their quantile: looking one up is ten times cheaper than drawing it; off by less than 1e-5."""

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
    """

    rows: int
    resamples: int
    level: float
    seed: int | tuple[int, ...]
    groups: NDArray[np.intp] | None = None

    def weights(self) -> Iterator[FloatArray]:
        """Yield the row weights of all resamples, a block [n, b] at a time; a block is overwritten by the next."""
        generator = np.random.default_rng(self.seed)
        units = self.rows if self.groups is None else int(self.groups.max(initial=-1)) + 1
        width = max(1, min(self.resamples, CELLS // max(1, self.rows)))
        block = np.empty((units, width))
        for start in range(0, self.resamples, width):
            drawn = generator.integers(0, LEVELS, (units, width), dtype=np.uint16)
            np.take(COUNTS, drawn, out=block, mode="clip")
            counts = block[:, : self.resamples - start]
            yield counts if self.groups is None else counts[self.groups]

    def replicates(self, figures: Mapping[Key, Weighted]) -> dict[Key, FloatArray]:
        """Return the value of every figure on every resample; figures share the resamples, so they can be compared."""
        blocks: dict[Key, list[FloatArray]] = {key: [] for key in figures}
        for weights in self.weights():
            for key, figure in figures.items():
                blocks[key].append(figure(weights))
        return {key: np.concatenate(values) for key, values in blocks.items()}

    def interval(self, replicates: FloatArray) -> tuple[float, float]:
        """Return the percentile interval, over the resamples on which the figure is defined."""
        defined = replicates[np.isfinite(replicates)]
        if not len(defined):
            return np.nan, np.nan
        low, high = np.quantile(defined, [(1 - self.level) / 2, (1 + self.level) / 2])
        return float(low), float(high)


def group_codes(groups: NDArray[Any] | None) -> NDArray[np.intp] | None:
    """Return groups as codes from 0."""
    return None if groups is None else np.unique(groups, return_inverse=True)[1]
