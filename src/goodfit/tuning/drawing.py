"""A few shapes as inline SVG: no script, no font, nothing from another host."""

from collections.abc import Iterable, Sequence
from html import escape

WIDTH, HEIGHT, MARGIN = 640.0, 300.0, 46.0
Point = tuple[float, float]


class Plane:
    """A framed plane that values are placed on.

    Args:
        points: what must fit on it.
        x_label, y_label: what the axes show; escaped.
    """

    def __init__(self, points: Iterable[Point], x_label: str, y_label: str) -> None:
        xs, ys = zip(*(list(points) or [(0.0, 0.0)]), strict=True)
        self._x, self._y = _range(xs), _range(ys)
        self._parts: list[str] = []
        self._frame(x_label, y_label)

    def line(self, points: Sequence[Point], style: str) -> None:
        """Draw a line through points."""
        placed = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self._place, points))
        self._parts.append(f'<polyline points="{placed}" class="{style}"/>')

    def dot(self, point: Point, style: str, title: str = "") -> None:
        """Draw a dot, with a text that shows when it is pointed at."""
        x, y = self._place(point)
        self._parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{style}"><title>{escape(title)}</title></circle>'
        )

    def __str__(self) -> str:
        return picture(self._parts, HEIGHT)

    def _place(self, point: Point) -> Point:
        across = (point[0] - self._x[0]) / (self._x[1] - self._x[0])
        up = (point[1] - self._y[0]) / (self._y[1] - self._y[0])
        return MARGIN + across * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN)

    def _frame(self, x_label: str, y_label: str) -> None:
        bottom = HEIGHT - MARGIN
        wide, high = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
        self._parts += [
            f'<rect x="{MARGIN}" y="{MARGIN}" width="{wide}" height="{high}" class="frame"/>',
            text(WIDTH / 2, HEIGHT - 8, x_label, "middle"),
            text(MARGIN, MARGIN - 10, y_label, "start"),
            text(MARGIN - 5, bottom, f"{self._y[0]:.4g}", "end"),
            text(MARGIN - 5, MARGIN + 8, f"{self._y[1]:.4g}", "end"),
            text(MARGIN, bottom + 14, f"{self._x[0]:.4g}", "start"),
            text(WIDTH - MARGIN, bottom + 14, f"{self._x[1]:.4g}", "end"),
        ]


def picture(parts: Iterable[str], height: float) -> str:
    """Return shapes as one picture."""
    return f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img">{"".join(parts)}</svg>'


def text(x: float, y: float, content: str, anchor: str) -> str:
    """Return a line of text; escaped."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'


def _range(values: Sequence[float]) -> Point:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
