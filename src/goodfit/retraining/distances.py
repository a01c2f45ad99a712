"""How far two samples of one column lie apart, from counts per bin; every function takes many columns at once."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincc

Floats = NDArray[np.float64]
HALF = 0.5
"""Added to each count, so that an empty bin has a logarithm."""


def population_stability(reference: ArrayLike, new: ArrayLike) -> Floats:
    """Return the population stability index [...] of counts [..., bins]: 0 for equal shares, 0.2 is a clear shift.

    The symmetric Kullback-Leibler divergence of the shares (Kullback & Leibler, 1951), as credit scoring uses it.
    """
    before, after = (np.asarray(counts, dtype=np.float64) + HALF for counts in (reference, new))
    p, q = before / before.sum(axis=-1, keepdims=True), after / after.sum(axis=-1, keepdims=True)
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def chance(reference: ArrayLike, new: ArrayLike) -> Floats:
    """Return the p-value [...] of counts [..., bins] being two samples of one distribution (Pearson's chi-square)."""
    a, b = np.asarray(reference, dtype=np.float64), np.asarray(new, dtype=np.float64)
    n, m = (counts.sum(axis=-1, keepdims=True) for counts in (a, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = (np.sqrt(m / n) * a - np.sqrt(n / m) * b) ** 2 / (a + b)
    filled = (a + b) > 0
    statistic = np.where(filled, terms, 0.0).sum(axis=-1)
    freedom = filled.sum(axis=-1) - 1
    usable = (freedom > 0) & (n[..., 0] > 0) & (m[..., 0] > 0)
    return np.where(usable, gammaincc(np.maximum(freedom, 1) / 2, np.where(usable, statistic, 0) / 2), 1.0)


def pooled(reference: NDArray[np.float64], new: NDArray[np.float64], least: float = 5.0) -> tuple[Floats, Floats]:
    """Return counts [bins] with bins put together in which fewer than `least` new rows are to be expected.

    Chi-square is an approximation that rare levels break.
    """
    expected = (reference + new) * (new.sum() / max(1.0, float(reference.sum() + new.sum())))
    rare = expected < least
    if rare.sum() < 2:
        return reference, new
    a, b = (np.append(counts[~rare], counts[rare].sum()) for counts in (reference, new))
    return a, b


def corrected(chances: ArrayLike) -> Floats:
    """Return p-values [..., tests] corrected for asking so many questions, so that any error is rare (Holm, 1979)."""
    p = np.asarray(chances, dtype=np.float64)
    count = p.shape[-1]
    order = np.argsort(p, axis=-1)
    stepped = np.take_along_axis(p, order, axis=-1) * np.arange(count, 0, -1)
    monotone = np.minimum(np.maximum.accumulate(stepped, axis=-1), 1.0)
    result = np.empty_like(p)
    np.put_along_axis(result, order, monotone, axis=-1)
    return result
