"""Place an option's values on the unit interval, on its own scale, and bring them back."""

import math
from decimal import Decimal

from goodfit.tuning.axes import Axis
from goodfit.tuning.dimension import Scalar


def value_at(axis: Axis, place: float) -> Scalar:
    """Return the value at a place from 0 to 1: each value that is counted off gets an equal share of the interval."""
    place = min(max(place, 0.0), 1.0)
    if axis.dimension.choices is not None:
        choices: list[Scalar] = axis.dimension.choices
        return choices[min(int(place * len(choices)), len(choices) - 1)]
    low, high = axis.dimension.ends
    if axis.dimension.log and not axis.whole:
        return float(min(max(math.exp(math.log(low) + place * (math.log(high) - math.log(low))), low), high))
    if axis.dimension.log:
        bottom, top = math.log(low - 0.5), math.log(high + 0.5)
        return int(min(max(round(math.exp(bottom + place * (top - bottom))), low), high))
    if axis.whole or axis.dimension.step is not None:
        return _stepped(axis, place)
    return float(min(max(low + place * (high - low), low), high))


def place_of(axis: Axis, value: Scalar) -> float:
    """Return where a value lies from 0, the low end, to 1, the high end; choices lie at equal distances."""
    if axis.dimension.choices is not None:
        choices = axis.dimension.choices
        return (choices.index(value) + 0.5) / len(choices)
    low, high = axis.dimension.ends
    if low == high or not isinstance(value, int | float):
        return 0.5
    scale = math.log if axis.dimension.log else float
    return (scale(value) - scale(low)) / (scale(high) - scale(low))


def _stepped(axis: Axis, place: float) -> Scalar:
    low, high = axis.dimension.ends
    step = axis.dimension.step or 1
    count = int((Decimal(str(high)) - Decimal(str(low))) / Decimal(str(step))) + 1
    value = Decimal(str(low)) + Decimal(str(step)) * min(int(place * count), count - 1)
    return int(value) if axis.whole else float(value)
