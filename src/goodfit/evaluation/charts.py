"""Small charts as inline SVG: no script, no font, no file of its own; colours come from the page's style sheet."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup

from goodfit.errors import printable

WIDTH, HEIGHT, MARGIN = 320.0, 220.0, 34.0
POINTS = Sequence[tuple[float, float]]
SERIES_CLASSES = 4


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
    named = {name: points for name, points in series.items() if len(points)}
    if not named:
        return Markup("")
    box = _bounds([point for points in named.values() for point in points], diagonal)
    parts = [_frame(box, x_label, y_label)]
    if diagonal:
        low, high = (_placed(corner, box) for corner in ((box[0], box[0]), (box[1], box[1])))
        parts.append(_line([low, high], "guide"))
    for index, (name, points) in enumerate(named.items()):
        placed = [_placed(point, box) for point in points]
        style = f"s{index % SERIES_CLASSES}"
        parts.append(_dots(placed, style) if dots else _line(placed, style))
        parts.append(_text(WIDTH - 6, MARGIN - 18 + 13 * index, name, f"end {style}") if len(named) > 1 else Markup(""))
    label = f"{y_label} by {x_label}"
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        int(WIDTH), int(HEIGHT), label, Markup("").join(parts)
    )


def _bounds(points: POINTS, equal: bool) -> tuple[float, float, float, float]:
    xs, ys = zip(*points, strict=True)
    box = (min(xs), max(xs), min(ys), max(ys))
    if equal:
        box = (min(box[0], box[2]), max(box[1], box[3])) * 2
    low_x, high_x, low_y, high_y = box
    return low_x, high_x if high_x > low_x else low_x + 1, low_y, high_y if high_y > low_y else low_y + 1


def _placed(point: tuple[float, float], box: tuple[float, float, float, float]) -> tuple[float, float]:
    low_x, high_x, low_y, high_y = box
    across = (point[0] - low_x) / (high_x - low_x)
    up = (point[1] - low_y) / (high_y - low_y)
    return MARGIN + across * (WIDTH - MARGIN - 8), HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN)


def _frame(box: tuple[float, float, float, float], x_label: str, y_label: str) -> Markup:
    bottom, right = HEIGHT - MARGIN, WIDTH - 8
    corners = [(MARGIN, MARGIN), (MARGIN, bottom), (right, bottom)]
    texts = [
        _text(MARGIN, bottom + 13, f"{box[0]:.2g}", ""),
        _text(right, bottom + 13, f"{box[1]:.2g}", "end"),
        _text(MARGIN - 4, bottom, f"{box[2]:.2g}", "end"),
        _text(MARGIN - 4, MARGIN + 8, f"{box[3]:.2g}", "end"),
        _text((MARGIN + right) / 2, bottom + 27, x_label, "middle"),
        _text(4, 14, y_label, ""),
    ]
    return Markup("").join([_line(corners, "axis"), *texts])


def _line(points: POINTS, style: str) -> Markup:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in _apart(points))
    return Markup('<path class="{}" d="{}"/>').format(style, path)


def _apart(points: POINTS) -> list[tuple[float, float]]:
    """Return the points without those that fall on their predecessor."""
    return [points[0], *(b for a, b in pairwise(points) if abs(a[0] - b[0]) + abs(a[1] - b[1]) > 0.05)]


def _dots(points: POINTS, style: str) -> Markup:
    circle = Markup('<circle class="dot {}" cx="{}" cy="{}" r="1.6"/>')
    return Markup("").join(circle.format(style, f"{x:.1f}", f"{y:.1f}") for x, y in points)


def _text(x: float, y: float, text: str, style: str) -> Markup:
    return Markup('<text x="{}" y="{}" class="{}">{}</text>').format(f"{x:.0f}", f"{y:.0f}", style, printable(text))
