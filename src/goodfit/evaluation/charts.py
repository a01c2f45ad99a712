"""Small charts as inline SVG: no script, no font, no file of its own; colours come from the page's style sheet."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup

from goodfit.errors import printable

WIDTH, HEIGHT = 320.0, 220.0
TOP, BOTTOM, RIGHT = 30.0, 34.0, 12.0
LEGEND = 12.0
LETTER = 5.6
"""Width of a digit or letter at the style sheet's size, a little more than the widest usual font takes."""
LINE = 20.0
MAX_LABEL = 22
MAX_BARS = 40
MAX_POINTS = 1000
"""More bars are left out, more points thinned: a chart stays readable, and under 100 kB."""
TICKS = 4
POINTS = Sequence[tuple[float, float]]
SERIES_CLASSES = 4
Box = tuple[float, float, float, float]
"""Least and largest x, least and largest y, in the data's units."""


def line_chart(
    series: Mapping[str, POINTS], x_label: str, y_label: str, *, diagonal: bool = False, dots: bool = False
) -> Markup:
    """Return a chart of one or a few series of (x, y).

    Args:
        series: name to points; the names, like the labels, are escaped.
        x_label, y_label: what the axes show.
        diagonal: draw y = x for comparison, on equal axes.
        dots: draw points without a line between them.
    """
    named = {name: points[:: 1 + len(points) // MAX_POINTS] for name, points in series.items() if len(points)}
    if not named:
        return Markup("")
    box = _bounds([point for points in named.values() for point in points], diagonal)
    left, rise = _left(box), LEGEND * max(0, len(named) - 2)
    parts = [_frame(box, left, x_label, y_label)]
    if diagonal:
        low, high = (_placed(corner, box, left) for corner in ((box[0], box[0]), (box[1], box[1])))
        parts.append(_line([low, high], "guide"))
    for index, (name, points) in enumerate(named.items()):
        placed = [_placed(point, box, left) for point in points]
        style = f"s{index % SERIES_CLASSES}"
        parts.append(_dots(placed, style) if dots else _line(placed, style))
        if len(named) > 1:
            parts.append(_text(WIDTH - RIGHT, LEGEND * (index + 1) - rise, name, f"end {style}"))
    return _svg(HEIGHT, f"{y_label} by {x_label}", parts, rise)


def bar_chart(
    labels: Sequence[str],
    values: Sequence[float],
    x_label: str,
    *,
    intervals: Sequence[tuple[float, float]] | None = None,
    guide: float | None = None,
) -> Markup:
    """Return horizontal bars from 0, one below the other.

    Args:
        labels: of the bars, from the top, at most MAX_BARS; escaped, and cut where they are long.
        values: their lengths; bars of values that are not finite are left out.
        x_label: what the length shows.
        intervals: (low, high) of each value, drawn as a whisker.
        guide: a value to mark by a dashed line.
    """
    spans = intervals or [(value, value) for value in values]
    rows = [row for row in zip(labels, values, spans, strict=True) if math.isfinite(row[1])][:MAX_BARS]
    if not rows:
        return Markup("")
    ends = [0.0, *(value for _, value, _ in rows), *(end for _, _, span in rows for end in span if math.isfinite(end))]
    low, high = min(ends), max(ends)
    box = (low, high if high > low else low + 1, 0.0, 1.0)
    left = min(WIDTH / 2, 8 + LETTER * max(len(_short(label)) for label, _, _ in rows))
    height = TOP / 2 + LINE * len(rows) + BOTTOM
    parts = [_x_axis(box, left, height, x_label)]
    for index, row in enumerate(rows):
        parts += _bar(row, TOP / 2 + LINE * index, box, left)
    for value, style in ((0.0, "axis"), (guide, "guide")):
        if value is not None and box[0] <= value <= box[1]:
            x = _across(value, box, left)
            parts.append(_line([(x, TOP / 2), (x, height - BOTTOM)], style))
    return _svg(height, x_label, parts)


def _bar(row: tuple[str, float, tuple[float, float]], y: float, box: Box, left: float) -> list[Markup]:
    label, value, (low, high) = row
    start, end = sorted((_across(0.0, box, left), _across(value, box, left)))
    bar = Markup('<rect class="bar" x="{}" y="{}" width="{}" height="{}"/>')
    parts = [
        _text(left - 5, y + 13, _short(label), "end"),
        bar.format(*(f"{n:.1f}" for n in (start, y + 4, end - start, 11))),
    ]
    if math.isfinite(low) and math.isfinite(high) and high > low:
        parts.append(_line([(_across(low, box, left), y + 9.5), (_across(high, box, left), y + 9.5)], "whisker"))
    return parts


def _svg(height: float, label: str, parts: Sequence[Markup], rise: float = 0.0) -> Markup:
    """Return the picture; `rise` is the room above it that a long legend takes."""
    return Markup('<svg viewBox="0 {} {} {}" role="img" aria-label="{}">{}</svg>').format(
        int(-rise), int(WIDTH), int(height + rise), printable(label), Markup("").join(parts)
    )


def _bounds(points: POINTS, equal: bool) -> Box:
    xs, ys = zip(*points, strict=True)
    box = (min(xs), max(xs), min(ys), max(ys))
    if equal:
        box = (min(box[0], box[2]), max(box[1], box[3])) * 2
    low_x, high_x, low_y, high_y = box
    return low_x, high_x if high_x > low_x else low_x + 1, low_y, high_y if high_y > low_y else low_y + 1


def _left(box: Box) -> float:
    """Return where the plot begins: the labels of the y-axis stand left of it, whole."""
    return 8 + LETTER * max(len(tick_label(value)) for value in ticks(box[2], box[3]))


def _across(value: float, box: Box, left: float) -> float:
    return left + (value - box[0]) / (box[1] - box[0]) * (WIDTH - RIGHT - left)


def _placed(point: tuple[float, float], box: Box, left: float) -> tuple[float, float]:
    up = (point[1] - box[2]) / (box[3] - box[2])
    return _across(point[0], box, left), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def _frame(box: Box, left: float, x_label: str, y_label: str) -> Markup:
    parts = [_x_axis(box, left, HEIGHT, x_label), _text(4, 12, y_label, "")]
    for value in ticks(box[2], box[3]):
        _, y = _placed((box[0], value), box, left)
        parts += [_line([(left, y), (WIDTH - RIGHT, y)], "grid"), _text(left - 4, y + 3, tick_label(value), "end")]
    return Markup("").join(parts)


def _x_axis(box: Box, left: float, height: float, label: str) -> Markup:
    bottom = height - BOTTOM
    parts = [_line([(left, bottom), (WIDTH - RIGHT, bottom)], "axis")]
    for value in ticks(box[0], box[1]):
        x = _across(value, box, left)
        parts += [_line([(x, bottom), (x, bottom + 3)], "axis"), _text(x, bottom + 14, tick_label(value), "middle")]
    parts.append(_text((left + WIDTH - RIGHT) / 2, height - 6, label, "middle"))
    return Markup("").join(parts)


def ticks(low: float, high: float) -> list[float]:
    """Return two to five round values within a range."""
    rough = (high - low) / TICKS
    if not math.isfinite(rough) or rough <= 0:
        return [low, high]
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.7)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    found = [index * step for index in range(first, last + 1)]
    return found if len(found) > 1 else [low, high]


def tick_label(value: float) -> str:
    """Return a short text for a value: 0.25, 1,500, 25k, 3M."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if unit <= abs(value) < unit * 1e4:
            return f"{value / (1e3 if letter == 'k' else unit):.3g}{letter}"
    return f"{value:,.4g}" if 1000 <= abs(value) < 1e4 else f"{value:.3g}"


def _line(points: POINTS, style: str) -> Markup:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in _apart(points))
    return Markup('<path class="{}" d="{}"/>').format(style, path)


def _apart(points: POINTS) -> list[tuple[float, float]]:
    """Return the points without those that fall on their predecessor."""
    return [points[0], *(b for a, b in pairwise(points) if abs(a[0] - b[0]) + abs(a[1] - b[1]) > 0.05)]


def _dots(points: POINTS, style: str) -> Markup:
    circle = Markup('<circle class="dot {}" cx="{}" cy="{}" r="1.6"/>')
    return Markup("").join(circle.format(style, f"{x:.1f}", f"{y:.1f}") for x, y in points)


def _short(label: str) -> str:
    shown = printable(label)
    return shown if len(shown) <= MAX_LABEL else f"{shown[: MAX_LABEL - 1]}…"


def _text(x: float, y: float, text: str, style: str) -> Markup:
    return Markup('<text x="{}" y="{}" class="{}">{}</text>').format(f"{x:.0f}", f"{y:.0f}", style, printable(text))
