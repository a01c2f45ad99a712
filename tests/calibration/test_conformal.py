"""Prediction intervals hold as many values as they claim, everywhere on the scale."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from goodfit.calibration import CalibrationSection, calibrated
from goodfit.calibration.conformal import MIN_ROWS, fitted_interval, half_width


@settings(max_examples=80, deadline=None)
@given(errors=st.lists(st.floats(0, 100), min_size=1, max_size=60), coverage=st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_a_half_width_is_the_order_statistic_that_split_conformal_asks_for(errors, coverage: float) -> None:
    found = half_width(np.array(errors), coverage)
    inside = sum(error <= found for error in errors) if found is not None else len(errors)
    needed = coverage * (len(errors) + 1)
    assert (found is None) == (needed > len(errors) + 1e-9)
    assert found is None or inside >= needed - 1e-9
    assert found is None or found in errors


def test_coverage_is_that_of_theory() -> None:
    """Given n valid rows the coverage of new rows is Beta(k, n + 1 - k): its mean and spread are met."""
    rng, held = np.random.default_rng(0), []
    for _ in range(300):
        noise = rng.normal(size=99)
        interval = fitted_interval(noise, np.zeros(99), 0.9, 1)
        low, high = interval.around(np.zeros(4000))
        held.append(np.mean((low <= (new := rng.normal(size=4000))) & (new <= high)))
    theory = beta(90, 10)
    assert np.mean(held) == pytest.approx(theory.mean(), abs=0.006)
    assert np.std(held) == pytest.approx(theory.std(), rel=0.2)


def test_bins_follow_the_spread_and_hold_their_share_each(made) -> None:
    bundle, valid, test = made("regression", count=4000)
    target = test.frame["y"].to_numpy()
    widths = {}
    for bins in (1, 10):
        found = calibrated(bundle, valid, CalibrationSection(bins=bins))
        said = found.predict(test.frame)
        low, high = found.interval.around(said)
        inside = (low <= target) & (target <= high)
        ends = np.argsort(said)[:400], np.argsort(said)[-400:]
        widths[bins] = inside.mean(), [inside[rows].mean() for rows in ends], (high - low).mean()
    assert widths[1][0] == pytest.approx(0.9, abs=0.015)
    assert widths[10][0] == pytest.approx(0.9, abs=0.015)
    assert widths[10][1] == pytest.approx([0.9, 0.9], abs=0.04)
    assert widths[1][1][1] < 0.7, "one width for all misses where the spread is large"
    assert widths[10][2] < widths[1][2]


def test_few_rows_get_fewer_bins_and_too_few_get_no_interval() -> None:
    rng = np.random.default_rng(0)
    target, said = rng.normal(size=3 * MIN_ROWS), rng.normal(size=3 * MIN_ROWS)
    assert len(fitted_interval(target, said, 0.9, 10).half_widths) == 3
    assert len(fitted_interval(target[:50], said[:50], 0.9, 10).half_widths) == 1
    assert len(fitted_interval(target, said, 0.995, 10).half_widths) == 1
    assert fitted_interval(target[:8], said[:8], 0.9, 10) is None
    assert len(fitted_interval(target, np.ones_like(said), 0.9, 10).half_widths) <= 2


def test_they_can_be_switched_off(made) -> None:
    bundle, valid, _ = made("regression")
    assert calibrated(bundle, valid, CalibrationSection(coverage=None)).interval is None
