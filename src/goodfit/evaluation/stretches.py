"""Rows in the order of time, drawn by stretches: rows that follow each other resemble each other.

The moving block bootstrap (Kuensch, 1989) with Poisson counts: a stretch may begin at every row, so often as Poisson
with mean 1 / length says, and a row weighs as many stretches as it lies in. Row weights have the mean 1, and their
covariance falls linearly to 0 at the length of a stretch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goodfit.metrics.base import FloatArray

NEGLIGIBLE = 2.0
"""A correlation within that many standard errors (times the root of log10 n) is taken for none."""
PATIENCE = 5
"""So many negligible correlations in a row, at least, are the end of the memory."""


@dataclass(frozen=True)
class Stretches:
    """Rows in the order of time.

    Args:
        place: of each row [n] in that order, from 0.
        length: rows of a stretch.
    """

    place: NDArray[np.intp]
    length: int

    @property
    def count(self) -> int:
        """How many stretches lie end to end in the rows."""
        return max(1, len(self.place) // self.length)

    def weights(self, generator: np.random.Generator, resamples: int) -> FloatArray:
        """Return row weights [n, resamples]."""
        rows, length = len(self.place), self.length
        starts = generator.poisson(1 / length, (rows + length - 1, resamples))  # the first stretches begin before row 0
        begun = np.zeros((rows + length, resamples))
        np.cumsum(starts, axis=0, out=begun[1:])
        weights: FloatArray = (begun[length:] - begun[:rows])[self.place]
        return weights


def stretch_length(series: FloatArray) -> int:
    """Return the best length of a stretch for the mean of a series [n] in the order of time; 1 for no memory.

    The rule of Politis & White (2004), as corrected by Patton, Politis & White (2009), for blocks of equal length:
    it balances the bias of short blocks against the variance of long ones, by the correlations that are seen.
    """
    rows = len(series)
    lags = min(rows // 2, int(np.ceil(np.sqrt(rows))) + max(PATIENCE, int(np.ceil(np.log10(max(rows, 2))))))
    if lags < PATIENCE or np.ptp(series) == 0:
        return 1
    covariance = _autocovariances(series, lags)
    memory = 2 * _memory(covariance / covariance[0], rows)
    if memory == 0:
        return 1
    lag = np.arange(1, min(memory, lags) + 1)
    window = np.clip(2 * (1 - lag / memory), 0, 1)  # flat up to half, then falling to 0
    slope = 2 * float(window * lag @ covariance[lag])
    level = covariance[0] + 2 * float(window @ covariance[lag])
    if level <= 0:
        return 1
    best = (1.5 * (slope / level) ** 2 * rows) ** (1 / 3)
    return int(np.clip(round(best), 1, min(3 * np.sqrt(rows), rows / 3)))


def _autocovariances(series: FloatArray, lags: int) -> FloatArray:
    """Return the autocovariances of lag 0 to `lags`."""
    rows, centred = len(series), series - series.mean()
    spectrum = np.fft.rfft(centred, 2 * rows)
    found: FloatArray = np.fft.irfft(np.abs(spectrum) ** 2, 2 * rows)[: lags + 1] / rows
    return found


def _memory(correlation: FloatArray, rows: int) -> int:
    """Return the last lag before a run of negligible correlations."""
    patience = max(PATIENCE, int(np.ceil(np.sqrt(np.log10(rows)))))
    negligible = np.abs(correlation[1:]) < NEGLIGIBLE * np.sqrt(np.log10(rows) / rows)
    runs = np.convolve(negligible, np.ones(patience), mode="valid") == patience
    return int(np.argmax(runs)) if runs.any() else len(negligible)
