"""Ask rows that had no part in the search whether a slice fails, with a correction for asking about several.

The excess losses are shuffled within their strata (rows with about the same prediction), many times; how large the
worst slice's score gets by chance gives p-values that are right for all slices together (the step-down maximum
statistic of Westfall & Young, 1993). Where rows come in groups, the sign of each group's sum is flipped instead (a wild
bootstrap).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from goodfit.evaluation.slices.losses import Excess, Floats

SHUFFLES = 999
CELLS = 1 << 22


@dataclass(frozen=True)
class Confirmed:
    """What other rows say about one slice.

    Args:
        rows: how many of them it holds, without those of the slices before it.
        excess: their mean loss above what rows with such predictions cost.
        score: the same in standard errors; -inf if there is no row.
        p: chance that the worst of all slices asked about scores as high where none fails.
    """

    rows: int
    excess: float
    score: float
    p: float


def confirm(
    masks: Sequence[NDArray[np.bool_]], excess: Excess, seed: Sequence[int], groups: NDArray[np.intp] | None = None
) -> list[Confirmed]:
    """Return what the rows say about each slice, judged without the rows of the slices before it.

    Args:
        masks: which rows [n] each slice holds, the worst first.
        excess: the losses [n].
        seed: of the shuffles.
        groups: the group of each row [n], as codes from 0, where rows stand in groups.
    """
    if not masks:
        return []
    members = csr_array(_first_holders(np.stack(masks)).astype(np.float64))
    spread = np.sqrt(members @ excess.variances)
    rows, sums = np.asarray(members.sum(axis=1)), members @ excess.values
    drawn = np.concatenate(list(_shuffled(members, excess, np.random.default_rng(seed), groups)), axis=1)
    usable = spread > 1e-12
    scale = np.where(usable, spread, 1.0)
    scores = np.where(usable, sums / scale, -np.inf)
    p = _stepped_down(scores, np.where(usable[:, None], drawn / scale[:, None], -np.inf))
    means = sums / np.maximum(rows, 1)
    return [Confirmed(int(n), float(m), float(s), float(q)) for n, m, s, q in zip(rows, means, scores, p, strict=True)]


def _first_holders(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the masks [m, n], each without the rows of those before it."""
    return np.asarray(masks & (np.cumsum(masks, axis=0) == 1))


def _shuffled(
    members: csr_array, excess: Excess, generator: np.random.Generator, groups: NDArray[np.intp] | None
) -> Iterator[Floats]:
    """Yield each slice's sum under chance, [m, b] at a time."""
    rows = len(excess.values)
    width = max(1, min(SHUFFLES, CELLS // max(1, rows)))
    for start in range(0, SHUFFLES, width):
        count = min(width, SHUFFLES - start)
        if groups is None:
            yield members @ np.stack([_permuted(excess, generator) for _ in range(count)], axis=1)
        else:
            signs = generator.integers(0, 2, (int(groups.max()) + 1, count)) * 2.0 - 1
            yield members @ (signs[groups] * excess.values[:, None])


def _permuted(excess: Excess, generator: np.random.Generator) -> Floats:
    shuffled = np.empty(len(excess.values))
    for block in excess.strata:
        shuffled[block] = generator.permuted(excess.values[block], axis=1)
    return shuffled


def _stepped_down(scores: Floats, drawn: Floats) -> Floats:
    """Return adjusted p-values [m] from scores [m] and what chance gives [m, b]."""
    order = np.argsort(-scores, kind="stable")
    highest = np.maximum.accumulate(drawn[order][::-1], axis=0)[::-1]
    raw = (1 + (highest >= scores[order][:, None] - 1e-12).sum(axis=1)) / (1 + drawn.shape[1])
    p = np.empty(len(scores))
    p[order] = np.maximum.accumulate(raw)
    return p
