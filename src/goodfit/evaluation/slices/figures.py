"""A metric on a slice and on the rest of the rows, with intervals from the same resamples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.evaluation.bootstrap import Resampling
from goodfit.evaluation.estimates import Estimate
from goodfit.metrics import METRICS
from goodfit.metrics.base import Weighted

MAX_DRAWS = 10_000_000
"""Rows times resamples for one slice; with many rows, fewer resamples say the same."""
FEWEST_RESAMPLES = 100


@dataclass(frozen=True)
class SliceFigures:
    """A slice beside the rest.

    Args:
        rows: number of rows.
        value: the metric on the slice.
        difference: the metric on the slice minus on all other rows.
    """

    rows: int
    value: Estimate
    difference: Estimate


def bounded(resampling: Resampling) -> Resampling:
    """Return the resampling with fewer resamples where there are many rows."""
    few = max(FEWEST_RESAMPLES, MAX_DRAWS // max(1, resampling.rows))
    return replace(resampling, resamples=min(resampling.resamples, few))


def slice_figures(
    masks: Sequence[NDArray[np.bool_]],
    metric: str,
    target: NDArray[Any],
    prediction: NDArray[Any],
    resampling: Resampling,
) -> list[SliceFigures]:
    """Return the metric of each slice, and its difference from the rest.

    Args:
        masks: which rows [n] each slice holds.
        metric: name of the metric.
        target: class indices or values, [n].
        prediction: what the metric needs, [n, k] or [n].
        resampling: how rows are drawn anew; capped at MAX_DRAWS.
    """
    parts = [part for mask in masks for part in (mask, ~mask)]
    figures: list[Weighted] = [METRICS[metric].cls().weighted(target[part], prediction[part]) for part in parts]
    values = [_value(figure, int(part.sum())) for figure, part in zip(figures, parts, strict=True)]
    capped = bounded(resampling)
    indices = {i: np.flatnonzero(part) for i, part in enumerate(parts)}
    drawn = capped.replicates({i: _on(figure, indices[i]) for i, figure in enumerate(figures) if len(indices[i])})
    undefined = np.full(capped.resamples, np.nan)
    found = []
    for i in range(0, len(parts), 2):
        inside, outside = drawn.get(i, undefined), drawn.get(i + 1, undefined)
        value = _estimate(values[i], inside, capped)
        difference = _estimate(values[i] - values[i + 1], inside - outside, capped)
        found.append(SliceFigures(len(indices[i]), value, difference))
    return found


def _on(figure: Weighted, rows: NDArray[np.intp]) -> Weighted:
    return lambda weights: figure(weights[rows])


def _value(figure: Weighted, rows: int) -> float:
    return float(figure(np.ones((rows, 1)))[0]) if rows else np.nan


def _estimate(value: float, drawn: NDArray[np.float64], resampling: Resampling) -> Estimate:
    low, high = resampling.interval(drawn) if np.isfinite(value) else (np.nan, np.nan)
    return Estimate(value, low, high)
