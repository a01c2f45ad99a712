import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

from goodfit.preprocessing.scaling import LARGEST, fit_scaling, median, moments, scaling_from_dict

NAMES = ("quantile", "robust", "standard", "none")
finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture
def skewed():
    return np.random.default_rng(1).lognormal(sigma=1.5, size=30_000)


def test_quantiles_agree_with_scikit_learn_inside_the_range(skewed):
    theirs = QuantileTransformer(n_quantiles=1000, output_distribution="normal", subsample=None)
    theirs.fit(skewed[:, None])
    rows = np.quantile(skewed, np.linspace(0.002, 0.998, 5000))
    ours = fit_scaling(skewed, "quantile", 1000).apply(rows)
    assert np.abs(ours - theirs.transform(rows[:, None])[:, 0]).max() < 1e-2


def test_a_column_of_zeros_and_ones_is_not_thrown_to_the_far_ends_as_scikit_learn_does():
    column = np.repeat([0.0, 1.0], [700, 300])
    theirs = QuantileTransformer(n_quantiles=100, output_distribution="normal").fit_transform(column[:, None])
    assert np.abs(theirs).min() > 5
    ours = fit_scaling(column, "quantile", 1000).apply(np.array([0.0, 1.0]))
    assert -1 < ours[0] < 0 < ours[1] < 2


def test_standard_agrees_with_scikit_learn(skewed):
    ours = fit_scaling(skewed, "standard", 2).apply(skewed)
    np.testing.assert_allclose(ours, StandardScaler().fit_transform(skewed[:, None])[:, 0], rtol=1e-9)


def test_robust_agrees_with_scikit_learn_before_the_bend(skewed):
    ours = fit_scaling(skewed, "robust", 2).apply(skewed)
    theirs = RobustScaler().fit_transform(skewed[:, None])[:, 0]
    np.testing.assert_allclose(ours, theirs / np.sqrt(1 + (theirs / 3) ** 2), rtol=1e-9)
    assert np.abs(ours).max() < 3


def test_robust_with_no_spread_between_the_quartiles():
    column = np.array([0.0] * 98 + [-1.0, 4.0])
    assert np.isfinite(fit_scaling(column, "robust", 2).apply(column)).all()


def test_none_leaves_values_as_they_are():
    column = np.array([1.0, 2.5, -7.0])
    np.testing.assert_array_equal(fit_scaling(column, "none", 2).apply(column), column)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(column=arrays(np.float64, st.integers(1, 40), elements=finite), rows=arrays(np.float64, 5, elements=finite))
def test_any_finite_column_gives_finite_float32_in_order(name, column, rows):
    with np.errstate(over="ignore"):
        scaled = fit_scaling(column, name, 1000).apply(np.sort(rows))
    with np.errstate(over="raise"):
        assert np.isfinite(scaled.astype(np.float32)).all()
    assert (np.diff(scaled) >= -1e-9 * np.abs(scaled[1:]).clip(1)).all()  # but for the last bits


@pytest.mark.parametrize("name", NAMES)
def test_infinities_are_read_as_the_ends_of_the_training_range(name, skewed):
    scaling = fit_scaling(skewed, name, 1000)
    ends = scaling.apply(np.array([skewed.min(), skewed.max()]))
    np.testing.assert_array_equal(scaling.apply(np.array([-math.inf, math.inf])), ends)


@pytest.mark.parametrize("name", NAMES)
def test_state_comes_back_to_the_last_bit(name, skewed):
    scaling = fit_scaling(skewed, name, 1000)
    assert scaling_from_dict(scaling.to_dict()) == scaling


def test_fewer_knots_on_fewer_rows():
    rows = np.arange(900.0)
    assert len(fit_scaling(rows, "quantile", 1000).knots) == 30
    assert len(fit_scaling(rows, "quantile", 5).knots) == 5
    assert len(fit_scaling(rows[:20], "quantile", 1000).knots) == 10


def test_the_median_of_huge_numbers_does_not_overflow():
    assert median(np.array([1.5e308, 1.7e308])) == 1.6e308
    assert median(np.array([3.0, 1.0, 2.0])) == 2.0


def test_moments_of_huge_numbers_do_not_overflow():
    mean, deviation = moments(np.array([1e300, -1e300]))
    assert (mean, deviation) == (0.0, 1e300)
    assert moments(np.array([4.0, 4.0])) == (4.0, 1.0)
    assert float(np.finfo(np.float32).max) == LARGEST
