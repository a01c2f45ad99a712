"""Permutation importance: how much worse the metric gets when a column is dealt out anew among the rows.

"Random Forests" (Breiman, 2001), in the model-agnostic form of "All Models are Wrong, but Many are Useful" (Fisher,
Rudin and Dominici, 2019). The interval is of both the rows and the shuffles: each resample draws rows and shuffles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.bundle import Bundle
from goodfit.evaluation.bootstrap import Resampling
from goodfit.evaluation.explaining.blocks import Block
from goodfit.metrics import METRICS, Weighted
from goodfit.metrics.base import FloatArray
from goodfit.preprocessing import Arrays

ROUNDING = 1e-12
"""A change below this share of the metric is the rounding of sums, and none."""


@dataclass(frozen=True)
class Importance:
    """What the model loses without one column.

    Args:
        name: column or group.
        loss: how much worse the metric is when the column is shuffled, in the metric's units; mean of the shuffles.
        low, high: its interval.
    """

    name: str
    loss: float
    low: float
    high: float


def permutation_importance(
    bundle: Bundle,
    arrays: Arrays,
    target: NDArray[Any],
    blocks: Sequence[Block],
    metric: str,
    resampling: Resampling,
    repeats: int,
) -> list[Importance]:
    """Return the importance of each block, the largest first.

    Args:
        bundle: the model.
        arrays: preprocessed rows, n; given back as they were.
        target: class indices or values, [n].
        blocks: what is shuffled, one after the other.
        metric: by what is judged.
        resampling: of the n rows.
        repeats: shuffles of each block; all blocks are shuffled by the same ones.
    """
    generator = np.random.default_rng(_seed(resampling, 1))
    orders = [generator.permutation(len(target)) for _ in range(repeats)]
    shares = (
        np.random.default_rng(_seed(resampling, 2))
        .multinomial(repeats, [1 / repeats] * repeats, resampling.resamples)
        .T
        / repeats
    )
    intact = _figure(bundle, arrays, target, metric)
    found = []
    for block in blocks:
        figures: dict[int, Weighted] = dict(enumerate(_shuffled(bundle, arrays, target, block, metric, orders)))
        found.append(_importance(block.name, metric, intact, figures, resampling, shares))
    return sorted(found, key=lambda importance: (-importance.loss, importance.name))


def _shuffled(
    bundle: Bundle, arrays: Arrays, target: NDArray[Any], block: Block, metric: str, orders: Sequence[NDArray[np.intp]]
) -> list[Weighted]:
    shuffled = Arrays(arrays.numeric.copy(), arrays.categorical.copy())
    figures = []
    for order in orders:
        block.put(shuffled, arrays, order)
        figures.append(_figure(bundle, shuffled, target, metric))
    return figures


def _importance(
    name: str,
    metric: str,
    intact: Weighted,
    figures: dict[int, Weighted],
    resampling: Resampling,
    shares: FloatArray,
) -> Importance:
    sign = 1.0 if METRICS[metric].facts["direction"] == "minimize" else -1.0
    ones = np.ones((resampling.rows, 1))
    before = intact(ones)[0]  # taken off each: a mean of equal figures may differ from them by a rounding
    value = float(np.mean([figure(ones)[0] - before for figure in figures.values()]))
    drawn = resampling.replicates({-1: intact, **figures})
    replicates = (np.stack([drawn[i] for i in figures]) * shares).sum(axis=0) - drawn[-1]
    replicates[np.abs(replicates) < ROUNDING * np.abs(drawn[-1])] = 0.0
    low, high = resampling.interval(sign * replicates)
    return Importance(name, sign * value, low, high)


def _figure(bundle: Bundle, arrays: Arrays, target: NDArray[Any], metric: str) -> Weighted:
    member, said = METRICS[metric], bundle.answers(arrays)
    return member.cls().weighted(target, bundle.decide(said) if member.facts["needs"] == "classes" else said)


def _seed(resampling: Resampling, number: int) -> tuple[int, ...]:
    seed = resampling.seed
    return (*(seed if isinstance(seed, tuple) else (seed,)), number)
