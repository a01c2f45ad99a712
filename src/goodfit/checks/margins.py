"""How far a drafted rule lies from what was seen: room for new rows, rounded to numbers a person would write."""

import datetime
import math
from typing import Any

MARGIN = 0.1
"""Share of the observed span that is left free on each side."""

EPOCH = datetime.datetime(1970, 1, 1)
DAY = 86_400_000_000
"""Microseconds."""


def number_range(low: float, high: float, *, whole: bool) -> dict[str, Any]:
    """Return min_value and max_value around the extremes; an infinite extreme sets no bound, 0 is not crossed."""
    margin = _margin(low, high)
    bounds: dict[str, Any] = {}
    if math.isfinite(low):
        wide = _rounded(low - margin, margin, math.floor)
        bounds["min_value"] = min(low, max(wide, 0) if low >= 0 else wide)
    if math.isfinite(high):
        wide = _rounded(high + margin, margin, math.ceil)
        bounds["max_value"] = max(high, min(wide, 0) if high <= 0 and low < 0 else wide)
    finite = {key: value for key, value in bounds.items() if math.isfinite(value)}
    outwards = {"min_value": math.floor, "max_value": math.ceil}
    return {key: outwards[key](value) for key, value in finite.items()} if whole else finite


def date_range(low: float, high: float) -> dict[str, Any]:
    """Return min_value and max_value as ISO dates around extremes given in microseconds since 1970."""
    margin = max(MARGIN * (high - low), DAY)
    bounds = {
        "min_value": _date(math.floor((low - margin) / DAY)),
        "max_value": _date(math.ceil((high + margin) / DAY)),
    }
    return {key: value for key, value in bounds.items() if value}


def share_below(share: float) -> float:
    """Return a share that leaves room for twice as many exceptions as were seen, in thousandths; 0 if there is none."""
    return max(0.0, math.floor(1000 * (1 - 2 * (1 - share))) / 1000)


def _margin(low: float, high: float) -> float:
    span = high - low
    margin = MARGIN * span if math.isfinite(span) and span > 0 else MARGIN * abs(high)
    return margin if math.isfinite(margin) and margin > 0 else 1.0


def _rounded(value: float, margin: float, direction: Any) -> float:
    """Round outwards to the margin's leading digit."""
    exponent = math.floor(math.log10(margin))
    if not (math.isfinite(value) and -300 < exponent < 300 and abs(value) < 1e15 * margin):
        return value
    return float(round(direction(value / 10.0**exponent) * 10.0**exponent, max(0, -exponent)))


def _date(days: int) -> str | None:
    try:
        return (EPOCH + datetime.timedelta(days=days)).date().isoformat()
    except OverflowError:
        return None
