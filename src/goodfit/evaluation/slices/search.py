"""Look for the slices with the largest excess loss: every level and run of bins of a column, every cross of two.

The search is exhaustive over the named columns and costs three weighted counts per pair of columns, over the rows once;
sums over runs of bins are products of small matrices. What it finds is only a guess: looking at so many slices, some
look bad by chance. `confirming.py` asks other rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.evaluation.slices.coding import Coder, Codes
from goodfit.evaluation.slices.losses import Excess, Floats

MAX_SHARE = 0.5
"""More than half of the rows is no slice of them."""
BEST_OF_A_TABLE = 3
MAX_POOL = 2000
"""Slices that are compared with each other, the best of each table and then the best of all."""
MAX_COUNTS = 1_500_000_000
"""Rows times pairs of columns; more columns are narrowed to those whose own slices look worst (a beam)."""
MAX_CROSSED = 100
"""Columns that are crossed with each other; a pair costs something even where there are few rows."""
LEAST_SCORE = 2.0
"""In standard errors: what does not even look bad where it was sought is not worth asking other rows about."""

Found = tuple["Slice", Floats]
"""A slice, and its rows, excess and variance, summed: [3]."""


@dataclass(frozen=True)
class Condition:
    """One condition on one column: its text, its coder, and the codes it holds [codes]."""

    text: str
    coder: Coder
    holds: NDArray[np.bool_]


@dataclass(frozen=True)
class Slice:
    """The rows that fulfil all conditions.

    Args:
        conditions: one or two.
        score: excess loss in standard errors, on the rows of the search that no earlier slice holds.
    """

    conditions: tuple[Condition, ...]
    score: float = np.nan

    @property
    def name(self) -> str:
        """The conditions as text."""
        return " and ".join(condition.text for condition in self.conditions)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the conditions."""
        return tuple(condition.coder.column.name for condition in self.conditions)

    def mask(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows [n] fulfil all conditions."""
        coders = {condition.coder.column.name: condition.coder for condition in self.conditions}
        return self.among({name: coder.codes(frame[name]) for name, coder in coders.items()})

    def among(self, codes: Mapping[str, Codes]) -> NDArray[np.bool_]:
        """Return which rows fulfil all conditions, from the codes of each column."""
        masks = [condition.holds[codes[condition.coder.column.name]] for condition in self.conditions]
        return np.asarray(np.logical_and.reduce(masks))


def search(
    codes: Mapping[str, Codes], coders: Sequence[Coder], excess: Excess, min_rows: int, count: int
) -> list[Slice]:
    """Return up to `count` slices, the worst first, each by what is wrong outside of those before it.

    Args:
        codes: column to the codes [n] of the rows to search.
        coders: the columns whose slices are looked at.
        excess: their losses, [n].
        min_rows: fewest rows of a slice.
        count: most slices.
    """
    known = [coder for coder in coders if coder.atoms]
    pool = [found for coder in known for found in _of_table((coder,), codes, excess, min_rows)]
    pairs = combinations(_beam(known, pool, len(excess.values)), 2)
    pool += [found for pair in pairs for found in _of_table(pair, codes, excess, min_rows)]
    pool = sorted(pool, key=lambda found: -found[0].score)[:MAX_POOL]
    return _apart(pool, codes, excess, min_rows, count)


def _beam(coders: Sequence[Coder], pool: Sequence[Found], rows: int) -> list[Coder]:
    """Return the columns to cross: all, or those with the worst slices of their own if there are too many."""
    limit = min(MAX_CROSSED, max(2, int(np.sqrt(2 * MAX_COUNTS / (3 * max(1, rows))))))
    best: dict[str, float] = {}
    for part, _ in pool:
        best[part.columns[0]] = max(part.score, best.get(part.columns[0], -np.inf))
    ranked = sorted(coders, key=lambda coder: -best.get(coder.column.name, -np.inf))
    kept = {coder.column.name for coder in ranked[:limit]}
    return [coder for coder in coders if coder.column.name in kept]


def _of_table(coders: tuple[Coder, ...], codes: Mapping[str, Codes], excess: Excess, min_rows: int) -> list[Found]:
    """Return the best slices of one column, or of the cross of two."""
    key, sizes = codes[coders[0].column.name], tuple(coder.size for coder in coders)
    if len(coders) == 2:
        key = key * sizes[1] + codes[coders[1].column.name]
    sums = np.stack([_summed(key, weights, coders, sizes) for weights in (None, excess.values, excess.variances)])
    usable = (sums[0] >= min_rows) & (sums[0] <= MAX_SHARE * len(key))
    scores = _scores(np.where(usable, sums, [[0]] * 3 if len(coders) == 1 else [[[0]]] * 3))
    best = np.argsort(-scores, axis=None, kind="stable")[:BEST_OF_A_TABLE]
    places = list(zip(*np.unravel_index(best, scores.shape), strict=True))
    return [_found(coders, place, float(scores[place]), sums[:, *place]) for place in places if scores[place] > 0]


def _summed(key: Codes, weights: Floats | None, coders: tuple[Coder, ...], sizes: tuple[int, ...]) -> Floats:
    """Return sums per atom [a], or per pair of atoms [a, b]."""
    table = np.bincount(key, weights, minlength=int(np.prod(sizes))).reshape(sizes).astype(np.float64)
    for axis, coder in enumerate(coders):
        table = np.moveaxis(np.tensordot(coder.matrix, table, axes=(1, axis)), 0, axis)
    return np.asarray(table)


def _scores(sums: Floats) -> Floats:
    """Return excess in standard errors from rows, excess and variance [3, ...]; -inf where there is no variance."""
    spread = np.sqrt(np.maximum(sums[2], 0))
    nothing: Floats = np.full(spread.shape, -np.inf)
    return np.asarray(np.divide(sums[1], spread, out=nothing, where=spread > 0))


def _found(coders: tuple[Coder, ...], place: tuple[int, ...], score: float, sums: Floats) -> Found:
    atoms = [coder.atoms[index] for coder, index in zip(coders, place, strict=True)]
    conditions = [Condition(text, coder, holds) for coder, (text, holds) in zip(coders, atoms, strict=True)]
    return Slice(tuple(conditions), score), sums


def _apart(pool: Sequence[Found], codes: Mapping[str, Codes], excess: Excess, min_rows: int, count: int) -> list[Slice]:
    """Return the worst slices one after the other, each scored without the rows of those before it."""
    free = np.ones(len(excess.values), dtype=bool)
    summands = np.stack([free, excess.values, excess.variances], axis=1)
    sums = np.array([found[1] for found in pool]).reshape(-1, 3)
    chosen: list[Slice] = []
    while len(pool) and len(chosen) < count:
        scores = np.where(sums[:, 0] >= min_rows, _scores(sums.T), -np.inf)
        best = int(np.argmax(scores))
        if scores[best] < LEAST_SCORE:
            break
        chosen.append(Slice(pool[best][0].conditions, float(scores[best])))
        gone = free & chosen[-1].among(codes)
        free &= ~gone
        nearby = {name: values[gone] for name, values in codes.items()}
        sums = sums - np.array([summands[gone][part.among(nearby)].sum(axis=0) for part, _ in pool])
    return chosen
