"""The quick line is numpy's, to the bit."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from goodfit.preprocessing import polyline
from goodfit.preprocessing.polyline import Polyline

Floats = NDArray[np.float64]
SIZES = st.floats(-1e300, 1e300)


def same(line: Polyline, values: Floats) -> None:
    expected = np.interp(values, line.knots, line.heights)
    assert line(values).tobytes() == expected.tobytes()


@given(st.lists(SIZES, min_size=1, max_size=60, unique=True), arrays.arrays(np.float64, 40, elements=SIZES), st.data())
def test_any_line_at_any_values(knots: list[float], values: Floats, data: st.DataObject) -> None:
    heights = data.draw(arrays.arrays(np.float64, len(knots), elements=st.floats(-10, 10)))
    line = Polyline(np.sort(np.array(knots)), np.sort(heights))
    with np.errstate(all="ignore"):
        same(line, np.concatenate([values, line.knots, [-np.inf, np.inf]]))


def test_a_zero_at_a_knot_has_no_sign() -> None:
    line = Polyline(np.array([0.0, 1.0]), np.array([-0.0, 2.0]))
    assert not np.signbit(line(np.array([0.0, -1.0]))).any()
    same(line, np.array([0.0, -1.0, 0.5, 1.0]))


DRAWS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "normal": lambda random, n: random.normal(size=n),
    "uniform": lambda random, n: random.random(n),
    "exponential": lambda random, n: random.exponential(size=n),
    "whole numbers": lambda random, n: random.integers(0, 100, n).astype(float),
    "far tails": lambda random, n: np.exp(3 * random.normal(size=n)),
    "huge": lambda random, n: random.normal(size=n) * 1e300,
    "tiny": lambda random, n: random.normal(size=n) * 1e-300,
}


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("knots", [2, 10, 1000])
def test_columns_as_they_come(kind: str, knots: int) -> None:
    random = np.random.default_rng(knots)
    train, values = DRAWS[kind](random, 20_000), DRAWS[kind](random, 20_000)
    places = np.unique(np.quantile(train, np.linspace(0, 1, knots)))
    with np.errstate(all="ignore"):
        same(Polyline(places, np.sort(random.normal(size=len(places)))), np.concatenate([values, places]))


def test_the_table_is_used_where_it_pays_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("numpy was asked")

    even, crowded = np.linspace(-3, 3, 1000), np.concatenate([np.linspace(0, 1e-9, 999), [1.0]])
    heights = np.linspace(-1, 1, 1000)
    monkeypatch.setattr(polyline.np, "interp", refused)
    assert Polyline(even, heights)(np.zeros(1)) == pytest.approx(0, abs=1e-12)
    for line in (Polyline(crowded, heights), Polyline(even[:1], heights[:1])):
        with pytest.raises(AssertionError, match="numpy was asked"):
            line(np.zeros(1))
