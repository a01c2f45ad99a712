"""From resamples to an interval: percentile, bias-corrected and accelerated, and the exact one of a share."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from goodfit.metrics.base import FloatArray

NOTHING = (np.nan, np.nan)


@dataclass(frozen=True)
class Sample:
    """A figure and what it might have been; the difference of two samples is the sample of their difference.

    Args:
        value: on the rows as they are.
        replicates: on each resample; NaN where it has no value.
        left_out: with one part of the rows left out after the other.
    """

    value: float
    replicates: FloatArray
    left_out: FloatArray

    def __sub__(self, other: "Sample") -> "Sample":
        pairs = self.value - other.value, self.replicates - other.replicates, self.left_out - other.left_out
        return Sample(*pairs)

    def __neg__(self) -> "Sample":
        return Sample(-self.value, -self.replicates, -self.left_out)


def percentile(replicates: FloatArray, level: float) -> tuple[float, float]:
    """Return the interval between the percentiles of the replicates that are defined (Efron, 1979)."""
    return _between(replicates[np.isfinite(replicates)], (1 - level) / 2, (1 + level) / 2)


def accelerated(sample: Sample, level: float) -> tuple[float, float]:
    """Return the bias-corrected and accelerated interval (BCa; Efron, 1987); NaN where the value is undefined.

    Percentiles that are moved, so that the interval is right to second order where the figure is skewed or biased. It
    holds the value itself, which few resamples of few rows might leave out.
    """
    drawn = sample.replicates[np.isfinite(sample.replicates)]
    if not np.isfinite(sample.value) or not len(drawn):
        return NOTHING
    below = np.mean(drawn < sample.value) + 0.5 * np.mean(drawn == sample.value)
    bias = ndtri(np.clip(below, 1 / (len(drawn) + 1), len(drawn) / (len(drawn) + 1)))
    moved = [bias + ndtri(tail) for tail in ((1 - level) / 2, (1 + level) / 2)]
    skew = acceleration(sample.left_out)
    low, high = _between(drawn, *(float(ndtr(bias + point / max(1 - skew * point, 0.1))) for point in moved))
    return min(low, sample.value), max(high, sample.value)


def reflected(sample: Sample, level: float) -> tuple[float, float]:
    """Return the percentiles mirrored in the value (the basic bootstrap; Davison & Hinkley, 1997).

    For figures that resampling shifts, such as a sum of absolute values: every resample adds noise once more, so the
    replicates lie above the value as far as the value lies above the truth.
    """
    low, high = percentile(sample.replicates, level)
    return 2 * sample.value - high, 2 * sample.value - low


def expanded(level: float, units: int) -> float:
    """Return the level at which percentiles of resampled means reach as far as Student's interval does at `level`.

    Resampling n independent units understates their variance by (n - 1) / n, and takes it for known (Hesterberg, 2015).
    """
    if units < 2:
        return level
    reach = stdtrit(units - 1, (1 + level) / 2) * np.sqrt(units / (units - 1))
    return float(2 * ndtr(reach) - 1)


def acceleration(left_out: FloatArray) -> float:
    """Return how fast the standard error changes with the figure, from a jackknife; 0 where it cannot be told."""
    values = left_out[np.isfinite(left_out)]
    if len(values) < 3:
        return 0.0
    pull = values.mean() - values
    spread = float(np.sum(pull**2))
    return float(np.sum(pull**3)) / (6 * spread**1.5) if spread > 0 else 0.0


def share_interval(hits: float, trials: float, level: float) -> tuple[float, float]:
    """Return the score interval of a share (Wilson, 1927): it holds for few rows, and for shares of 0 and 1.

    Args:
        hits, trials: number of independent rows that count, and of all.
        level: of the interval.
    """
    if not trials:
        return NOTHING
    z, share = float(ndtri((1 + level) / 2)), hits / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    reach = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))


def _between(drawn: FloatArray, low: float, high: float) -> tuple[float, float]:
    if not len(drawn):
        return NOTHING
    below, above = np.quantile(drawn, [low, high])
    return float(below), float(above)
