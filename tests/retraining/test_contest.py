"""How often the rule is wrong, counted over simulated nights; and what guards and the first model ask for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goodfit.evaluation import compare
from goodfit.evaluation.estimates import Comparison
from goodfit.retraining.contest import Contest, Side, contest, decide, first_model
from goodfit.retraining.section import GuardsSection, MarginSection, RetrainSection

NIGHTS = 200
ROWS = 1500
SEED_NOISE = 0.15
"""Spread of the logits between two trainings of one recipe."""


def losses(target: np.ndarray, logits: np.ndarray) -> float:
    return float(np.mean(np.logaddexp(0, np.where(target == 1, -logits, logits))))


def promoted(random: np.random.Generator, old_noise: float, new_noise: float, margin: MarginSection) -> bool:
    """Simulate one night: two models whose logits are the truth and errors of their own, on the same new rows."""
    truth = random.normal(0, 1.5, ROWS)
    target = (random.random(ROWS) < 1 / (1 + np.exp(-truth))).astype(np.int64)
    said = []
    for noise in (new_noise, old_noise):
        bias = random.normal(0, noise / 3)  # a seed is wrong in the same way for all rows, too
        logits = truth + bias + random.normal(0, noise, ROWS)
        said.append(np.stack([1 / (1 + np.exp(logits)), 1 / (1 + np.exp(-logits))], axis=1))
    seen = compare("log_loss", target, said[0], said[1], resamples=200, seed=int(random.integers(1 << 30)))
    champion = float(-np.mean(np.log(said[1][np.arange(ROWS), target])))
    return decide("log_loss", seen, champion, margin)[0]


def rate(old_noise: float, new_noise: float, margin: MarginSection, seed: int) -> float:
    random = np.random.default_rng(seed)
    return float(np.mean([promoted(random, old_noise, new_noise, margin) for _ in range(NIGHTS)]))


@pytest.mark.parametrize("noise", [SEED_NOISE, 0.8])
def test_another_seed_of_the_same_recipe_is_promoted_in_at_most_five_per_cent_of_the_nights(noise: float) -> None:
    assert rate(noise, noise, MarginSection(), seed=11) <= 0.05


def test_without_a_margin_the_luck_of_a_seed_would_pass_for_progress() -> None:
    assert rate(0.8, 0.8, MarginSection(by=0.0), seed=11) > 0.05


def test_a_better_challenger_is_promoted_in_at_least_ninety_per_cent_of_the_nights() -> None:
    assert rate(0.8, SEED_NOISE, MarginSection(), seed=2) >= 0.90


def test_a_worse_challenger_is_never_superior_and_seldom_non_inferior() -> None:
    assert rate(SEED_NOISE, 0.8, MarginSection(), seed=3) == 0
    assert rate(SEED_NOISE, 0.8, MarginSection(rule="non_inferior"), seed=4) <= 0.05


def test_non_inferior_promotes_an_equal_challenger_where_the_rows_suffice() -> None:
    assert rate(SEED_NOISE, SEED_NOISE, MarginSection(rule="non_inferior", by=0.03), seed=5) >= 0.90


@pytest.mark.parametrize(
    ("metric", "low", "high", "rule", "wins"),
    [
        ("roc_auc", 0.02, 0.04, "superior", True),
        ("roc_auc", 0.005, 0.04, "superior", False),
        ("log_loss", -0.04, -0.02, "superior", True),
        ("log_loss", 0.02, 0.04, "superior", False),
        ("roc_auc", -0.005, 0.01, "non_inferior", True),
        ("roc_auc", -0.02, 0.01, "non_inferior", False),
        ("log_loss", -0.01, 0.005, "non_inferior", True),
        ("log_loss", -0.01, float("nan"), "superior", False),
    ],
)
def test_the_interval_must_lie_beyond_the_margin(metric: str, low: float, high: float, rule: Any, wins: bool) -> None:
    comparison = Comparison((low + high) / 2, low, high, 0.9, "undecided")
    assert decide(metric, comparison, 1.0, MarginSection(rule=rule, by=0.01))[0] is wins


def test_without_a_champion_gates_suffice_unless_baselines_are_asked_for() -> None:
    metrics = {"test": {"log_loss": {}}, "comparison": {"boosting": {"log_loss": {"finding": "worse"}}}}
    assert first_model(metrics, "gates").promote
    refused = first_model(metrics, "baselines")
    assert not refused.promote and "boosting is surely better by log_loss" in refused.reason


def pair(second: Any, guards: dict[str, Any], skill: float = 1.9, evaluate: dict[str, Any] | None = None) -> Contest:
    """Return the contest of the workspace's champion with a challenger, under guards of one's own."""
    import sys

    from goodfit.bundle import load_bundle, save_bundle
    from goodfit.data import read_table
    from goodfit.evaluation import EvaluateSection
    from goodfit.retraining.known_rows import KnownRows

    bench = sys.modules["retraining_bench"]
    tables = {name: read_table(second.root / f"data/{name}.parquet") for name in ("train", "valid", "test")}
    tables["test"] = type(tables["test"])(bench.rows(800, 50), tables["test"].schema)
    folder = second.root / "challenger"
    save_bundle(folder, bench.bundle_of(tables["train"], skill))
    old = Side("old", load_bundle(second.root / "models/candidate"), second.root / "models/candidate")
    identity = ["x0", "x1", "y"]
    known = KnownRows.of(tables["train"], [tables["train"].frame], identity, by_time=False)
    section = RetrainSection(guards=GuardsSection(**guards), margin=MarginSection(rule="non_inferior", by=0.99))
    settings = EvaluateSection(metrics=["log_loss"], **(evaluate or {}))
    return contest(old, Side("new", load_bundle(folder), folder), tables, known, identity, section, settings, 7)


OFF: dict[str, Any] = {"slices": None, "calibration": None, "latency": None, "size": None}


@pytest.mark.parametrize(
    ("guard", "loose", "tight"),
    [("calibration", 1.0, 0.0), ("latency", 1000.0, 1e-6), ("size", 1.5, 0.1)],
)
def test_a_guard_says_no_and_its_loose_twin_says_yes(second: Any, guard: str, loose: float, tight: float) -> None:
    skill = 6.0 if guard == "calibration" else 1.9
    assert pair(second, {**OFF, guard: loose}, skill).promote
    refused = pair(second, {**OFF, guard: tight}, skill)
    assert not refused.promote
    assert f"but a guard says no: {guard}: asked " in refused.reason
    assert [outcome["passed"] for outcome in refused.evidence["guards"]] == [False]


def test_a_slice_that_loses_surely_keeps_the_challenger_out(second: Any) -> None:
    declared = {"slices": {"columns": ["x1"], "quantiles": 4}}
    assert pair(second, {**OFF, "slices": 0.05}, 1.9, declared).promote
    refused = pair(second, {**OFF, "slices": 0.05}, 0.9, declared)
    assert not refused.promote and "no sure loss of log_loss beyond 5.0% in any of 4 slices" in refused.reason


def test_guards_that_are_off_are_not_judged(second: Any) -> None:
    assert pair(second, OFF).evidence["guards"] == []


def test_time_splits_are_compared_in_stretches_of_time(tmp_path: Path) -> None:
    """Rows that follow each other resemble each other: taken for independent, a chance difference looks sure."""
    from goodfit.evaluation.stretches import Stretches

    random = np.random.default_rng(0)
    wave = np.repeat(random.normal(size=20), 50)
    target = wave + random.normal(size=1000)
    near, far = wave * 0.9, wave * 0.8
    alone = compare("rmse", target, near, far, seed=1)
    order = Stretches(np.arange(1000), 50)
    together = compare("rmse", target, near, far, seed=1, stretches=order)
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
