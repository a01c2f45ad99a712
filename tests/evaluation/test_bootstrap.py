"""Bootstrap weights and intervals: right on average, the same every time, bounded in memory, honest about groups."""

import tracemalloc

import numpy as np
import pytest
from scipy.stats import binom

from goodfit.evaluation import bootstrap, compare
from goodfit.evaluation.bootstrap import COUNTS, Resampling, group_codes
from goodfit.metrics import METRICS


def test_counts_are_poisson_of_mean_one() -> None:
    assert COUNTS.mean() == pytest.approx(1, abs=1e-4)
    assert COUNTS.var() == pytest.approx(1, abs=1e-3)
    shares = np.bincount(COUNTS.astype(int)) / len(COUNTS)
    assert shares[:3] == pytest.approx([np.exp(-1), np.exp(-1), np.exp(-1) / 2], abs=1e-4)


def test_blocks_hold_every_resample_and_depend_on_nothing_but_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "CELLS", 35)
    blocks = [weights.copy() for weights in Resampling(10, 8, 0.95, seed=3).weights()]
    assert [block.shape for block in blocks] == [(10, 3), (10, 3), (10, 2)]
    again = [weights.copy() for weights in Resampling(10, 8, 0.95, seed=3).weights()]
    assert all(np.array_equal(a, b) for a, b in zip(blocks, again, strict=True))
    other = next(Resampling(10, 8, 0.95, seed=4).weights())
    assert not np.array_equal(blocks[0], other)


def test_rows_of_a_group_are_drawn_together() -> None:
    codes = group_codes(np.array(["b", "a", "b", "c"]))
    weights = next(Resampling(4, 200, 0.95, 0, codes).weights())
    assert np.array_equal(weights[0], weights[2])
    assert not np.array_equal(weights[0], weights[1])


def test_memory_does_not_grow_with_the_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "CELLS", 1 << 18)
    target = np.random.default_rng(0).integers(0, 2, 50_000)
    score = np.random.default_rng(1).random(50_000)
    figure = METRICS["roc_auc"].cls().weighted(target, np.stack([1 - score, score], axis=1))
    tracemalloc.start()
    drawn = Resampling(50_000, 60, 0.95, 0).replicates({"auc": figure})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert drawn["auc"].shape == (60,)
    assert peak < 12 * bootstrap.CELLS * 8, "a few arrays of CELLS numbers; all weights at once would be 24 MB"


def test_the_interval_is_that_of_drawing_with_replacement() -> None:
    """The Poisson weights stand in for index resampling: same spread, within Monte Carlo error."""
    values = np.random.default_rng(0).exponential(size=300)
    figure = METRICS["mae"].cls().weighted(np.zeros(300), values)
    low, high = (resampling := Resampling(300, 4000, 0.95, 0)).interval(resampling.replicates({0: figure})[0])
    rng = np.random.default_rng(1)
    drawn = np.array([values[rng.integers(0, 300, 300)].mean() for _ in range(4000)])
    expected = np.quantile(drawn, [0.025, 0.975])
    assert [low, high] == pytest.approx(expected, abs=0.1 * np.ptp(expected))


def test_resamples_without_a_value_are_left_out_of_the_interval() -> None:
    resampling = Resampling(4, 100, 0.9, 0)
    assert resampling.interval(np.array([np.nan, 1.0, 2.0, 3.0])) == pytest.approx((1.1, 2.9))
    assert np.isnan(resampling.interval(np.full(3, np.nan))).all()


def coverage(name: str, repetitions: int, rows: int = 1000, resamples: int = 400, level: float = 0.95) -> int:
    """Count how often the interval holds the true value, over fresh data sets from one known world."""
    rng = np.random.default_rng(11)
    truth = _truth(name)
    held = 0
    for repetition in range(repetitions):
        target, prediction = _world(name, rng, rows)
        figure = METRICS[name].cls().weighted(target, prediction)
        resampling = Resampling(rows, resamples, level, repetition)
        low, high = resampling.bounds(resampling.samples({0: figure})[0])
        held += low <= truth <= high
    return held


def _world(name: str, rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    if METRICS[name].facts["needs"] == "values":
        noise = rng.normal(size=rows)
        return noise + (signal := rng.normal(size=rows)), signal
    score = 1 / (1 + np.exp(-rng.normal(-1, 1.2, rows)))
    target = (rng.random(rows) < score).astype(np.int64)
    probability = np.stack([1 - score, score], axis=1)
    return target, (score >= 0.5).astype(np.int64) if METRICS[name].facts["needs"] == "classes" else probability


def _truth(name: str) -> float:
    return METRICS[name].cls().compute(*_world(name, np.random.default_rng(0), 4_000_000))


def plausible(held: int, repetitions: int, level: float = 0.95, slack: float = 0.01) -> bool:
    """Tell whether a count fits a coverage within `slack` of the level: outside only once in 1,000 times."""
    lowest = binom.ppf(0.0005, repetitions, level - slack)
    highest = binom.ppf(0.9995, repetitions, min(1, level + slack))
    return bool(lowest <= held <= highest)


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "rmse"])
def test_intervals_hold_the_truth_as_often_as_they_say(name: str) -> None:
    held = coverage(name, 150, resamples=200)
    assert plausible(held, 150, slack=0.015), held


@pytest.mark.slow
@pytest.mark.parametrize("name", ["accuracy", "average_precision", "f1", "log_loss", "mae", "r2", "rmse", "roc_auc"])
def test_intervals_hold_the_truth_as_often_as_they_say_measured_closely(name: str) -> None:
    held = coverage(name, 1000, resamples=1000)
    assert plausible(held, 1000), held


def _clans(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    clans = np.repeat(np.arange(50), 10)
    error = rng.normal(size=50)[clans] + 0.3 * rng.normal(size=500)
    return clans, np.zeros(500), 5 + error


def test_only_drawing_groups_is_honest_about_rows_that_resemble_each_other() -> None:
    """Fifty clans of ten alike rows are fifty facts, not five hundred: drawing rows overstates what is known."""
    rng, held = np.random.default_rng(5), {"rows": 0, "groups": 0}
    for repetition in range(100):
        clans, target, prediction = _clans(rng)
        figure = METRICS["mae"].cls().weighted(target, prediction)
        for kind, codes in (("rows", None), ("groups", group_codes(clans))):
            resampling = Resampling(500, 200, 0.95, repetition, codes)
            low, high = resampling.bounds(resampling.samples({0: figure})[0])
            held[kind] += low <= 5 <= high
    assert held["groups"] >= 85
    assert held["rows"] <= 60


def _pair(rows: int, better: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    hard = rng.exponential(5, rows)  # rows differ far more than models do
    return np.zeros(rows), hard + rng.normal(0, 0.1, rows), hard + better + rng.normal(0, 0.1, rows)


def test_a_paired_comparison_sees_what_two_intervals_hide() -> None:
    target, a, b = _pair(400, 0.05, 0)
    found = compare("mae", target, a, b)
    assert found.finding == "better"
    assert found.low < found.difference < found.high < 0
    assert found.probability_better > 0.99
    apart = Resampling(400, 1000, 0.95, 0)
    singles = apart.replicates({k: METRICS["mae"].cls().weighted(target, p) for k, p in (("a", a), ("b", b))})
    assert apart.interval(singles["a"])[1] > apart.interval(singles["b"])[0], "unpaired, the two overlap"


def test_comparison_is_antisymmetric_and_knows_the_direction() -> None:
    target, a, b = _pair(300, 0.1, 1)
    one, other = compare("mae", target, a, b), compare("mae", target, b, a)
    assert (one.difference, one.low, one.high) == pytest.approx((-other.difference, -other.high, -other.low))
    assert one.probability_better == pytest.approx(1 - other.probability_better)
    assert (one.finding, other.finding) == ("better", "worse")
    labels = np.random.default_rng(0).integers(0, 2, 300)
    wrong = labels.copy()
    wrong[:90] = 1 - wrong[:90]
    assert compare("accuracy", labels, labels, wrong).finding == "better"


def test_a_model_beside_itself_is_undecided() -> None:
    target, a, _ = _pair(50, 0, 2)
    found = compare("rmse", target, a, a.copy())
    assert (found.difference, found.low, found.high, found.probability_better) == (0, 0, 0, 0.5)
    assert found.finding == "undecided"


def test_no_difference_is_found_no_oftener_than_the_level_allows() -> None:
    found = [compare("mae", *_pair(200, 0.0, seed), resamples=200, seed=seed).finding for seed in range(200)]
    assert len(found) == 200
    assert 200 - found.count("undecided") <= binom.ppf(0.9995, 200, 0.065)


def test_comparison_draws_groups_where_they_are_given() -> None:
    clans, target, prediction = _clans(np.random.default_rng(3))
    alone = compare("mae", target, prediction, prediction + 0.01 * prediction)
    together = compare("mae", target, prediction, prediction + 0.01 * prediction, groups=clans)
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_an_undefined_comparison_is_null_and_undecided() -> None:
    ones, probability = np.ones(5, dtype=np.int64), np.full((5, 2), 0.5)
    found = compare("roc_auc", ones, probability, probability)
    assert found.finding == "undecided"
    written = found.to_dict()
    assert all(written[name] is None for name in ("difference", "low", "high", "probability_better"))
