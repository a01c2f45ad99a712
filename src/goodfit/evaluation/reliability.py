"""Do probabilities mean what they say: expected calibration error, and predicted beside observed, bin by bin."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from goodfit.evaluation.bootstrap import Resampling
from goodfit.evaluation.intervals import share_interval
from goodfit.metrics.base import FloatArray, Weighted, ratio

CHANCE_DRAWS = 10_000


def confidence(target: NDArray[Any], prediction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what is said [n] and whether it came true [n]: of the second of two classes, else of the most probable."""
    if prediction.shape[1] == 2:
        return prediction[:, 1], (target == 1).astype(np.float64)
    return prediction.max(axis=1), (target == prediction.argmax(axis=1)).astype(np.float64)


def adaptive_bins(said: FloatArray, bins: int) -> NDArray[np.intp]:
    """Return the bin of each row [n]: at most `bins`, of about equally many rows; equal values share one."""
    if not len(said):
        return np.empty(0, dtype=np.intp)
    edges = np.unique(np.quantile(said, np.arange(1, bins) / bins, method="higher"))
    return np.unique(np.searchsorted(edges, said, side="right"), return_inverse=True)[1]


def calibration_error(said: FloatArray, true: FloatArray, bin_of: NDArray[np.intp]) -> Weighted:
    """Return the expected calibration error under weights (Naeini, Cooper & Hauskrecht, 2015).

    The distance between what is said and what comes true, in a bin, averaged over the rows.

    Args:
        said: probabilities, [n].
        true: 1 where the thing came true, else 0, [n].
        bin_of: the bin of each row, [n].
    """
    rows, count = np.arange(len(said)), int(bin_of.max(initial=-1)) + 1
    gaps = csr_array((true - said, (bin_of, rows)), shape=(count, len(said)))
    return lambda weights: ratio(np.abs(gaps @ weights).sum(axis=0), weights.sum(axis=0))


def error_by_chance(
    said: FloatArray, bin_of: NDArray[np.intp], level: float, seed: tuple[int, ...]
) -> tuple[float, float]:
    """Return the error that perfect calibration would show on so many rows: its mean, and the `level` quantile.

    Bin by bin the outcomes of independent rows vary like p (1 - p); their sums are taken for normal.
    """
    spread = np.sqrt(np.bincount(bin_of, said * (1 - said)))
    draws = np.random.default_rng(seed).normal(size=(CHANCE_DRAWS, len(spread)))
    errors = np.abs(draws) @ spread / max(1, len(said))
    return float(errors.mean()), float(np.quantile(errors, level))


def reliability_table(
    said: FloatArray, true: FloatArray, bin_of: NDArray[np.intp], resampling: Resampling
) -> pd.DataFrame:
    """Return a line per bin: mean probability, the share that came true with its interval, and the rows."""
    count = int(bin_of.max(initial=-1)) + 1
    rows = np.bincount(bin_of, minlength=count)
    hits, predicted = (np.bincount(bin_of, values, count) for values in (true, said))
    alone = resampling.groups is None and resampling.stretches is None
    bands = [share_interval(*pair, resampling.level) for pair in zip(hits, rows, strict=True)]
    if not alone:
        bands = _resampled_bands(true, bin_of, count, resampling)
    low, high = zip(*bands, strict=True) if bands else ((), ())
    observed = hits / np.maximum(rows, 1)
    columns = {
        "predicted": predicted / np.maximum(rows, 1),
        "observed": observed,
        "low": low,
        "high": high,
        "rows": rows,
    }
    return pd.DataFrame(columns)


def _resampled_bands(
    true: FloatArray, bin_of: NDArray[np.intp], count: int, resampling: Resampling
) -> list[tuple[float, float]]:
    figures = {number: _share_of(true, bin_of == number) for number in range(count)}
    drawn = resampling.replicates(figures)
    return [resampling.interval(drawn[number]) for number in range(count)]


def _share_of(true: FloatArray, inside: NDArray[np.bool_]) -> Weighted:
    return lambda weights: ratio(true[inside] @ weights[inside], weights[inside].sum(axis=0))


def sharpened(prediction: FloatArray, temperature: float) -> FloatArray:
    """Return what probabilities [n, k] were before their logits were divided by a temperature."""
    tiny = np.finfo(np.float64).tiny
    logits = np.log(np.maximum(prediction, tiny)) * temperature
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    restored: FloatArray = odds / odds.sum(axis=1, keepdims=True)
    return restored
