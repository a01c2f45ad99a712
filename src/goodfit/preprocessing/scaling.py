"""Maps from a number to a number of about unit size, and their fit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.preprocessing.polyline import Polyline
from goodfit.preprocessing.section import ScalingName

Floats = NDArray[np.float64]
ROWS_PER_KNOT = 30
MIN_KNOTS = 10
BEND = 3.0
NOTHING = 1e-290
"""Beside a largest value of about 1, smaller ones are 0."""
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Affine:
    """(x - center) / scale; with a bend b, z / sqrt(1 + (z / b)^2), which no value takes beyond -b and b.

    The bend is the smooth clip of "Better by Default" (Holzmüller, Grinsztajn and Steinwart, NeurIPS 2024,
    arXiv:2407.04491). Infinities are read as the least and largest training value.
    """

    low: float
    high: float
    center: float
    scale: float
    bend: float

    def apply(self, values: Floats) -> Floats:
        """Map values [n] without gaps."""
        finite = np.nan_to_num(values, nan=np.nan, posinf=self.high, neginf=self.low)
        with np.errstate(over="ignore"):
            moved = np.clip(finite / self.scale - self.center / self.scale, -LARGEST, LARGEST)
            return moved / np.sqrt(1 + np.square(moved / self.bend)) if self.bend else moved

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able state."""
        return {"form": "affine", **self.__dict__}


@dataclass(frozen=True)
class QuantileMap:
    """The piecewise-linear map from training quantiles to the same quantiles of a normal distribution.

    What `sklearn.preprocessing.QuantileTransformer` does, with three differences: tied quantiles are one knot at the
    middle of their probabilities (there, the least and largest value always lie at the far ends, which throws a column
    of zeros and ones to -5.2 and 5.2); the ends lie at the expected place of the extremes of a sample of this size;
    and lines are drawn in normal scores, so that a row costs a table look-up and no inverse normal.

    Attributes:
        unit: a power of two by which values are divided first, so that no line is too steep or too long for float64.
        knots: training quantiles in that unit, ascending.
        scores: the normal score of each knot.
    """

    unit: float
    knots: tuple[float, ...]
    scores: tuple[float, ...]

    @cached_property
    def _line(self) -> Polyline:
        return Polyline(np.asarray(self.knots), np.asarray(self.scores))

    def apply(self, values: Floats) -> Floats:
        """Map values [n] without gaps; beyond the training range the ends hold."""
        with np.errstate(over="ignore", under="ignore"):
            return self._line(values / self.unit)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able state."""
        return {"form": "quantile", "unit": self.unit, "knots": list(self.knots), "scores": list(self.scores)}


Scaling = Affine | QuantileMap


def fit_scaling(values: Floats, name: ScalingName, quantiles: int) -> Scaling:
    """Fit a scaling to finite training values [n], n >= 1."""
    if name == "quantile":
        return _quantile_map(values, quantiles)
    low, high = float(values.min()), float(values.max())
    if name == "robust":
        center, scale = _robust(values)
        return Affine(low, high, center, scale, BEND)
    center, scale = moments(values) if name == "standard" else (0.0, 1.0)
    return Affine(low, high, center, scale, 0.0)


def scaling_from_dict(state: Mapping[str, Any]) -> Scaling:
    """Rebuild a scaling from `to_dict`."""
    rest = {key: value for key, value in state.items() if key != "form"}
    if state["form"] == "affine":
        return Affine(**{key: float(value) for key, value in rest.items()})
    return QuantileMap(float(rest["unit"]), tuple(map(float, rest["knots"])), tuple(map(float, rest["scores"])))


def moments(values: Floats) -> tuple[float, float]:
    """Return the mean and the standard deviation (1 for a constant), computed without overflow."""
    unit = unit_of(values)
    mean, deviation = float(np.mean(values / unit)) * unit, float(np.std(values / unit)) * unit
    return mean, deviation if deviation > 0 else 1.0


def median(values: Floats) -> float:
    """Return the median, computed without overflow."""
    unit = unit_of(values)
    return float(np.median(values / unit)) * unit


def unit_of(values: Floats) -> float:
    """Return a power of two that divides values to at most 2, exactly; sums and differences then cannot overflow."""
    return math.ldexp(1.0, math.frexp(float(np.abs(values).max()))[1] - 1)


def _robust(values: Floats) -> tuple[float, float]:
    unit = unit_of(values)
    low, center, high = (float(q) for q in np.quantile(values / unit, [0.25, 0.5, 0.75]))
    spread = (high - low or float(np.ptp(values / unit)) / 2) * unit
    return center * unit, spread if 0 < spread < np.inf else 1.0


def _quantile_map(values: Floats, most: int) -> QuantileMap:
    count = max(min(most, len(values) // ROWS_PER_KNOT), min(MIN_KNOTS, most))
    shares = np.linspace(0, 1, count)
    unit = unit_of(values)
    scaled = np.quantile(values / unit, shares)
    knots, first = np.unique(np.where(np.abs(scaled) < NOTHING, 0.0, scaled), return_index=True)
    last = np.append(first[1:], count) - 1
    edge = 0.5 / len(values)
    middles = np.clip((shares[first] + shares[last]) / 2, edge, 1 - edge)
    scores = [NormalDist().inv_cdf(float(share)) for share in middles]
    return QuantileMap(unit, tuple(knots.tolist()), tuple(scores))
