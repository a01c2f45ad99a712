"""How a strength changes over the hidden layers of a network."""

from collections.abc import Callable
from typing import Literal, TypeAlias

Shape: TypeAlias = Literal["brick", "funnel", "long_funnel", "triangle", "diamond", "hexagon", "stairs"]
"""The shapes of the regularization cocktail (Kadra et al., NeurIPS 2021, arXiv:2106.11189)."""


def share_of_depth(index: int, count: int) -> float:
    """Return the share of the last layer's strength that hidden layer `index` (1 to `count` - 1) has: linear."""
    return index / (count - 1)


def share_at(shape: Shape, index: int, count: int) -> float:
    """Return the share of the largest strength that hidden layer `index` (from 0) of `count` has, above 0 and up to 1.

    Layers next to the output have the most in a triangle and the least in a funnel; a long funnel falls in its second
    half, stairs fall with every second layer, a diamond rises to the middle and falls, a hexagon stays up for a third.
    """
    every = [_HEIGHTS[shape](layer, count) for layer in range(count)]
    return every[index] / max(every)


def _falling(index: int, count: int) -> float:
    return 1 - index / count


def _rising(index: int, count: int) -> float:
    return (index + 1) / count


def _long_falling(index: int, count: int) -> float:
    level = count // 2
    return 1.0 if index < level else _falling(index - level, count - level)


def _peaked(index: int, count: int) -> float:
    return float(min(index + 1, count - index))


def _capped(index: int, count: int) -> float:
    return min(_peaked(index, count), float(-(-count // 3)))


def _stepped(index: int, count: int) -> float:
    return 1 - (index // 2 * 2) / count


_HEIGHTS: dict[Shape, Callable[[int, int], float]] = {
    "brick": lambda index, count: 1.0,
    "funnel": _falling,
    "long_funnel": _long_falling,
    "triangle": _rising,
    "diamond": _peaked,
    "hexagon": _capped,
    "stairs": _stepped,
}
