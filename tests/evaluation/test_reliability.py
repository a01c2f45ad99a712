"""Calibration error: right where it is known, no more than chance where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodfit.evaluation.bootstrap import Resampling
from goodfit.evaluation.intervals import reflected
from goodfit.evaluation.reliability import (
    adaptive_bins,
    calibration_error,
    confidence,
    error_by_chance,
    reliability_table,
)


def drawn(rows: int, seed: int, off: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Draw what is said, and outcomes that come true more often by `off`."""
    rng = np.random.default_rng(seed)
    said = rng.uniform(0.1, 0.8, rows)
    return said, (rng.random(rows) < said + off).astype(float)


def error(said: np.ndarray, true: np.ndarray, bins: int = 15) -> float:
    return float(calibration_error(said, true, adaptive_bins(said, bins))(np.ones((len(said), 1)))[0])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 60), bins=st.integers(2, 12))
def test_the_error_is_the_mean_distance_over_bins(seed: int, rows: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    said, true = rng.integers(0, 10, rows) / 10, rng.integers(0, 2, rows).astype(float)
    bin_of = adaptive_bins(said, bins)
    parts = [(bin_of == number) for number in np.unique(bin_of)]
    expected = sum(part.sum() * abs(true[part].mean() - said[part].mean()) for part in parts) / rows
    assert error(said, true, bins) == pytest.approx(expected, abs=1e-12)
    assert len(parts) <= bins
    assert bin_of.max() == len(parts) - 1
    order = rng.permutation(rows)
    assert error(said[order], true[order], bins) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(30, 400), bins=st.integers(2, 12))
def test_bins_hold_equally_many_rows_and_rise(seed: int, rows: int, bins: int) -> None:
    said = np.random.default_rng(seed).random(rows)
    bin_of = adaptive_bins(said, bins)
    counts = np.bincount(bin_of)
    assert len(counts) == bins
    assert np.ptp(counts) <= 2
    assert (np.diff(bin_of[np.argsort(said)]) >= 0).all()
    ties = adaptive_bins(np.repeat([0.2, 0.7], rows), bins)
    assert len(np.unique(ties[:rows])) == len(np.unique(ties[rows:])) == 1


def test_a_known_error_is_found_and_its_interval_holds_it() -> None:
    held = 0
    for seed in range(100):
        said, true = drawn(1500, seed, off=0.15)
        figure = {0: calibration_error(said, true, adaptive_bins(said, 10))}
        low, high = reflected(Resampling(1500, 200, 0.95, seed).samples(figure)[0], 0.95)
        held += low <= 0.15 <= high
    assert held >= 88


def test_perfect_calibration_is_within_chance_and_chance_is_known_exactly() -> None:
    errors = [error(*drawn(800, seed)) for seed in range(200)]
    said, _ = drawn(800, 0)
    mean, limit = error_by_chance(said, adaptive_bins(said, 15), 0.95, (0,))
    assert np.mean(errors) == pytest.approx(mean, rel=0.05)
    assert np.mean(np.array(errors) > limit) == pytest.approx(0.05, abs=0.05)
    assert error(*drawn(800, 1, off=0.1)) > limit


def test_two_classes_are_judged_by_the_second_and_more_by_the_most_probable() -> None:
    said, true = confidence(np.array([1, 0]), np.array([[0.3, 0.7], [0.6, 0.4]]))
    assert (said.tolist(), true.tolist()) == ([0.7, 0.4], [1, 0])
    said, true = confidence(np.array([2, 0]), np.array([[0.3, 0.3, 0.4], [0.2, 0.5, 0.3]]))
    assert (said.tolist(), true.tolist()) == ([0.4, 0.5], [1, 0])


def test_bands_are_wider_where_rows_come_in_groups() -> None:
    said, true = drawn(600, 3)
    true = np.repeat(true[::6], 6)
    said = np.repeat(said[::6], 6)
    bin_of = adaptive_bins(said, 5)
    alone = reliability_table(said, true, bin_of, Resampling(600, 300, 0.95, 0))
    together = reliability_table(said, true, bin_of, Resampling(600, 300, 0.95, 0, np.arange(600) // 6))
    assert alone["rows"].sum() == 600
    assert (alone["low"] <= alone["observed"]).all()
    widths = [(table["high"] - table["low"]).mean() for table in (alone, together)]
    assert widths[1] > 1.8 * widths[0]
