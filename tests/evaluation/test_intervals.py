"""From resamples to intervals: the laws they obey, and that they hold the truth where simpler ones do not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import binomtest

from goodfit.data import Column, Schema, Table
from goodfit.evaluation import compare
from goodfit.evaluation.bootstrap import Resampling
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.intervals import Sample, accelerated, acceleration, expanded, reflected, share_interval
from goodfit.evaluation.judging import MODEL, Answers, judge
from goodfit.evaluation.ordering import follow_in_time, stretches_of
from goodfit.evaluation.stretches import Stretches, stretch_length
from goodfit.metrics import METRICS

PROBABILITIES = ("accuracy", "roc_auc", "log_loss", "brier", "average_precision", "f1")
VALUES = ("rmse", "mae", "r2", "median_absolute_error")
SEEDS = st.integers(0, 2**32 - 1)


def problem(name: str, seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    if name in VALUES:
        return rng.normal(size=rows), rng.normal(size=rows)
    score = rng.integers(0, 6, rows) / 8 + 0.1  # with ties
    target = (rng.random(rows) < 0.5).astype(np.int64)
    target[:2] = 0, 1
    if METRICS[name].facts["needs"] == "classes":
        return target, (score >= 0.5).astype(np.int64)
    return target, np.stack([1 - score, score], axis=1)


@pytest.mark.parametrize("name", [*PROBABILITIES, *VALUES])
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, rows=st.integers(4, 40))
def test_a_weight_of_k_is_the_row_k_times(name: str, seed: int, rows: int) -> None:
    target, prediction = problem(name, seed, rows)
    counts = np.random.default_rng(seed + 1).integers(0, 4, rows)
    counts[:2] = np.maximum(counts[:2], 1)
    member = METRICS[name].cls()
    weighted = float(member.weighted(target, prediction)(counts[:, None].astype(float))[0])
    repeated = member.compute(np.repeat(target, counts), np.repeat(prediction, counts, axis=0))
    assert weighted == pytest.approx(repeated, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", [*PROBABILITIES, *VALUES])
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, rows=st.integers(4, 40))
def test_the_order_of_the_rows_means_nothing(name: str, seed: int, rows: int) -> None:
    target, prediction = problem(name, seed, rows)
    order = np.random.default_rng(seed).permutation(rows)
    weights = np.random.default_rng(seed + 1).poisson(1, (rows, 3)).astype(float)
    member = METRICS[name].cls()
    before = member.weighted(target, prediction)(weights)
    after = member.weighted(target[order], prediction[order])(weights[order])
    assert after == pytest.approx(before, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, power=st.floats(0.2, 5))
def test_ranking_metrics_see_only_the_ranking(name: str, seed: int, power: float) -> None:
    target, prediction = problem(name, seed, 50)
    score = prediction[:, 1] ** power
    weights = np.random.default_rng(seed).poisson(1, (50, 4)).astype(float)
    member = METRICS[name].cls()
    moved = member.weighted(target, np.stack([1 - score, score], axis=1))(weights)
    assert moved == pytest.approx(member.weighted(target, prediction)(weights), nan_ok=True)


@pytest.mark.parametrize("name", [*PROBABILITIES, *VALUES])
@settings(max_examples=5, deadline=None)
@given(seed=SEEDS)
def test_equal_models_do_not_differ(name: str, seed: int) -> None:
    target, prediction = problem(name, seed, 30)
    found = compare(name, target, prediction, prediction.copy(), resamples=100, seed=seed)
    assert (found.difference, found.low, found.high, found.finding) == (0, 0, 0, "undecided")


@settings(max_examples=50, deadline=None)
@given(hits=st.integers(0, 60), extra=st.integers(0, 60), level=st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_interval_of_a_share_is_scipys(hits: int, extra: int, level: float) -> None:
    if not hits + extra:
        assert np.isnan(share_interval(0, 0, level)).all()
        return
    expected = binomtest(hits, hits + extra).proportion_ci(level, method="wilson")
    assert share_interval(hits, hits + extra, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_share_of_a_perfect_model_is_not_certain() -> None:
    target = np.random.default_rng(0).integers(0, 2, 50)
    said = {MODEL: np.stack([1.0 - target, target], axis=1)}
    bootstrap = BootstrapSection(resamples=100)
    alone = judge(Answers(target, None, said, {MODEL: 0.5}), ("accuracy", "recall"), bootstrap, (0,))
    assert alone.estimate(MODEL, "accuracy").low == pytest.approx(0.929, abs=1e-3)
    assert alone.estimate(MODEL, "recall").low < 0.92
    grouped = judge(Answers(target, np.arange(50) // 5, said, {MODEL: 0.5}), ("accuracy",), bootstrap, (0,))
    assert grouped.estimate(MODEL, "accuracy").low == 1, "rows of a group are not independent: no exact interval"
    assert "10 independent groups" in (grouped.note(MODEL, "accuracy") or "")


@pytest.mark.parametrize(("rows", "tolerance"), [(150, 0.02), (2000, 0.2)])
def test_acceleration_is_a_sixth_of_the_skewness_of_a_mean(rows: int, tolerance: float) -> None:
    """Row by row up to 200 rows, by parts of the rows beyond: the same on average."""
    found, exact = [], []
    for seed in range(1 if rows < 200 else 60):
        values = np.random.default_rng(seed).exponential(size=rows)
        figure = {0: METRICS["mae"].cls().weighted(np.zeros(rows), values)}
        found.append(acceleration(Resampling(rows, 1, 0.95, 0).samples(figure)[0].left_out))
        centred = values - values.mean()
        exact.append((centred**3).sum() / (6 * (centred**2).sum() ** 1.5))
    assert np.mean(found) == pytest.approx(np.mean(exact), rel=tolerance)
    assert acceleration(np.ones(10)) == acceleration(np.array([1.0])) == 0


def test_an_accelerated_interval_leans_where_the_figure_is_skewed() -> None:
    values = np.random.default_rng(1).exponential(size=60)
    resampling = Resampling(60, 4000, 0.95, 0)
    sample = resampling.samples({0: METRICS["mae"].cls().weighted(np.zeros(60), values)})[0]
    (low, high), (plain_low, plain_high) = accelerated(sample, 0.95), resampling.interval(sample.replicates)
    assert low > plain_low
    assert high > plain_high
    assert accelerated(-sample, 0.95) == pytest.approx((-high, -low))


def test_few_units_widen_an_interval_as_student_does() -> None:
    assert expanded(0.95, 10) == pytest.approx(0.983, abs=1e-3)
    assert expanded(0.95, 100_000) == pytest.approx(0.95, abs=1e-4)
    assert expanded(0.95, 1) == 0.95


def test_an_interval_holds_its_value_and_an_undefined_one_has_none() -> None:
    shifted = Sample(1.0, np.linspace(2, 3, 100), np.linspace(0.9, 1.1, 10))
    assert accelerated(shifted, 0.95)[0] == 1
    assert np.isnan(accelerated(Sample(np.nan, np.ones(5), np.ones(5)), 0.95)).all()
    assert np.isnan(accelerated(Sample(1.0, np.full(5, np.nan), np.ones(5)), 0.95)).all()
    assert reflected(shifted, 0.9) == pytest.approx((2 - 2.95, 2 - 2.05))


def autoregressive(rng: np.random.Generator, rows: int, memory: float) -> np.ndarray:
    return lfilter([1], [1, -memory], rng.normal(size=rows + 300) * np.sqrt(1 - memory**2))[300:]


@pytest.mark.parametrize(("memory", "expected"), [(0.0, 1), (0.5, 12), (0.8, 26)])
def test_stretches_are_as_long_as_the_series_remembers(memory: float, expected: int) -> None:
    """For an AR(1) series the best length is known: (6 r^2 n / (1 - r^2)^2)^(1/3), after Politis & White."""
    rng = np.random.default_rng(0)
    lengths = [stretch_length(autoregressive(rng, 1000, memory)) for _ in range(40)]
    best = (6 * memory**2 * 1000 / (1 - memory**2) ** 2) ** (1 / 3)
    assert np.median(lengths) == pytest.approx(max(1, best), rel=0.35)
    assert stretch_length(np.ones(50)) == stretch_length(np.arange(4.0)) == 1


def test_weights_of_stretches_are_one_on_average_and_shared_by_neighbours() -> None:
    place = np.random.default_rng(0).permutation(60)
    weights = Stretches(place, 6).weights(np.random.default_rng(1), 20_000)[np.argsort(place)]
    assert weights.mean(axis=1) == pytest.approx(np.ones(60), abs=0.05)
    covariance = np.cov(weights)
    for lag, expected in ((0, 1.0), (2, 4 / 6), (5, 1 / 6), (6, 0.0), (20, 0.0)):
        assert np.diagonal(covariance, lag).mean() == pytest.approx(expected, abs=0.03), lag


def test_only_stretches_are_honest_about_rows_that_follow_each_other() -> None:
    rng, held = np.random.default_rng(3), {"rows": 0, "stretches": 0}
    for repetition in range(100):
        error = 5 + autoregressive(rng, 600, 0.7)
        figure = {0: METRICS["mae"].cls().weighted(np.zeros(600), error)}
        order = Stretches(np.arange(600), stretch_length(np.abs(error)))
        for kind, stretches in (("rows", None), ("stretches", order)):
            resampling = Resampling(600, 200, 0.95, repetition, None, stretches)
            low, high = resampling.bounds(resampling.samples(figure)[0])
            held[kind] += low <= 5 <= high
    assert held["stretches"] >= 84
    assert held["rows"] <= 75


def timed(values: object) -> Table:
    frame = pd.DataFrame({"at": pd.to_datetime(values), "y": 1.0})
    return Table(frame, Schema((Column("at", "datetime", "time"), Column("y", "numeric", "target")), "regression"))


def test_stretches_are_drawn_only_where_the_splits_follow_each_other() -> None:
    days = pd.date_range("2024-01-01", periods=90)
    parts = dict(zip(("train", "valid", "test"), (days[:30], days[30:60], days[60:]), strict=True))
    assert follow_in_time({split: timed(values) for split, values in parts.items()})
    mixed = {split: timed(days[start::3]) for start, split in enumerate(parts)}
    assert not follow_in_time(mixed)
    assert not follow_in_time({split: timed([]) for split in parts})


def test_the_order_is_that_of_the_time_column_and_gaps_come_last() -> None:
    table = timed(["2024-01-03", None, "2024-01-01", "2024-01-02"])
    assert stretches_of(table, np.zeros(4), np.ones(4)).place.tolist() == [2, 3, 0, 1]


def test_a_bias_of_the_resamples_is_taken_off_twice() -> None:
    """Replicates half a deviation too high: percentiles move by twice the bias, as Efron's formula says."""
    drawn = np.random.default_rng(0).normal(0.5, 1, 200_000)
    low, high = accelerated(Sample(0.0, drawn, np.array([-1.0, 0.0, 1.0])), 0.95)
    assert (low, high) == pytest.approx((0.5 - 2.96, 0.5 + 0.96), abs=0.04)
