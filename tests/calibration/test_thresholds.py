"""The decision threshold: the best of all there are on valid rows, by the metrics' own arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from goodfit.calibration import THRESHOLDS, CalibrationSection, calibrated, check_calibration
from goodfit.errors import ConfigurationError
from goodfit.metrics import METRICS
from goodfit.thresholds import rule_of, threshold_by
from goodfit.thresholds.base import counted
from goodfit.thresholds.metric import figures

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=40)
NAMES = ("f1", "balanced_accuracy", "accuracy", "mcc")


def drawn(pairs) -> tuple[np.ndarray, np.ndarray]:
    positive, score = (np.array(column) for column in zip(*pairs, strict=True))
    positive[:2] = True, False
    return positive.astype(bool), score / 8


@pytest.mark.parametrize("name", [*NAMES, "precision", "recall"])
@settings(max_examples=60, deadline=None)
@given(pairs=ROWS)
def test_figures_are_those_of_the_metrics(name: str, pairs) -> None:
    positive, score = drawn(pairs)
    counts = counted(positive, score)
    found = getattr(counts, name) if name in ("precision", "recall") else figures(counts, name)
    metric = METRICS[name].cls()
    for threshold, value in zip(counts.thresholds, found, strict=True):
        expected = metric.compute(positive.astype(int), (score >= threshold).astype(int))
        assert value == pytest.approx(0.0 if np.isnan(expected) else expected, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(pairs=ROWS, seed=st.integers(0, 1000))
def test_no_other_threshold_is_better(name: str, pairs, seed: int) -> None:
    positive, score = drawn(pairs)
    rule, threshold = rule_of(THRESHOLDS["metric"].options(metric=name), positive, score)
    metric = METRICS[name].cls()

    def value(at: float) -> float:
        return np.nan_to_num(metric.compute(positive.astype(int), (score >= at).astype(int)))

    assert rule.value == pytest.approx(value(threshold))
    others = np.random.default_rng(seed).random(30)
    assert max(value(other) for other in others) <= rule.value + 1e-12
    order = np.random.default_rng(seed).permutation(len(score))
    assert rule_of(THRESHOLDS["metric"].options(metric=name), positive[order], score[order])[1] == threshold


@settings(max_examples=60, deadline=None)
@given(pairs=ROWS, costs=st.tuples(*[st.floats(0.1, 50)] * 2, *[st.floats(-5, 0)] * 2))
def test_no_other_threshold_is_cheaper(pairs, costs) -> None:
    positive, score = drawn(pairs)
    names = ("false_positive", "false_negative", "true_positive", "true_negative")
    options = THRESHOLDS["cost"].options(**dict(zip(names, costs, strict=True)))
    rule, threshold = rule_of(options, positive, score)
    table = np.array([[costs[3], costs[0]], [costs[1], costs[2]]])

    def cost(at: float) -> float:
        return float(table[positive.astype(int), (score >= at).astype(int)].mean())

    assert rule.value == pytest.approx(cost(threshold))
    assert all(cost(other) >= rule.value - 1e-9 for other in np.linspace(0, 1, 41))


def test_of_calibrated_rows_the_costs_decide_where_it_lies(made) -> None:
    """Bayes: with true probabilities the cheapest threshold is fp / (fp + fn)."""
    bundle, valid, _ = made("binary", 1.0, count=20_000)
    section = CalibrationSection(threshold={"kind": "cost", "false_positive": 1.0, "false_negative": 4.0})
    assert calibrated(bundle, valid, section).threshold == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize(("kind", "other"), [("precision", "recall"), ("recall", "precision")])
def test_a_target_is_reached_and_the_other_figure_is_the_best_there(made, kind: str, other: str) -> None:
    bundle, valid, _ = made("binary")
    bundle = calibrated(bundle, valid, CalibrationSection(threshold={"kind": kind, "target": 0.8}))
    positive = bundle.preprocessor.encode_target(valid.frame)
    score = bundle.predict(valid.frame)[:, 1]
    found, best = (
        METRICS[name].cls().compute(positive, bundle.decide(bundle.predict(valid.frame))) for name in (kind, other)
    )
    assert bundle.rule.reached
    assert found >= 0.8
    assert bundle.rule.value == pytest.approx(found)
    for threshold in np.linspace(0.01, 0.99, 99):
        classes = (score >= threshold).astype(int)
        if METRICS[kind].cls().compute(positive, classes) >= 0.8:
            assert METRICS[other].cls().compute(positive, classes) <= best + 1e-9


def test_a_target_that_cannot_be_reached_is_said_to_be_so() -> None:
    positive = np.array([True, False, True, False])
    rule, threshold = rule_of(THRESHOLDS["precision"].options(target=0.9), positive, np.full(4, 0.5))
    assert not rule.reached
    assert rule.value == 0.5
    assert threshold <= 0.5


def test_it_is_chosen_behind_the_temperature(made) -> None:
    """A threshold on overconfident scores and one on calibrated scores decide alike: the ranking is the same."""
    bundle, valid, test = made("binary", 6.0)
    section = {"threshold": {"kind": "recall", "target": 0.9}}
    sharp = calibrated(bundle, valid, CalibrationSection(temperature=False, **section))
    soft = calibrated(bundle, valid, CalibrationSection(**section))
    assert sharp.threshold < soft.threshold - 0.02
    agree = sharp.decide(sharp.predict(test.frame)) == soft.decide(soft.predict(test.frame))
    assert agree.mean() > 0.995


def test_the_default_is_one_half(made) -> None:
    bundle, valid, _ = made("binary")
    found = calibrated(bundle, valid, CalibrationSection())
    assert (found.threshold, found.rule.kind, found.rule.value) == (0.5, "fixed", None)


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_a_rule_without_two_classes_is_refused(task: str) -> None:
    check_calibration(CalibrationSection(), task)
    with pytest.raises(ConfigurationError, match=r"calibration\.threshold.*binary.*metric"):
        check_calibration(CalibrationSection(threshold={"kind": "metric"}), task)


@pytest.mark.parametrize("options", [{"false_positive": 0.0}, {"false_negative": 1.0, "true_positive": 2.0}])
def test_costs_that_reward_mistakes_are_refused(options) -> None:
    with pytest.raises(ValidationError, match="a mistake must cost more"):
        CalibrationSection(threshold={"kind": "cost", **options})


def test_a_rule_from_a_bundle_chooses_again() -> None:
    rng = np.random.default_rng(5)
    score = rng.random(400)
    positive = rng.random(400) < score
    tried = 0
    for kind in THRESHOLDS:
        needed = {"target": 0.8} if kind in ("precision", "recall") else {}
        rule, threshold = rule_of(THRESHOLDS[kind].options(**needed), positive, score)
        assert threshold_by(rule, positive, score) == threshold
        assert threshold_by(rule, positive, score / 2) == (
            threshold if kind == "fixed" else pytest.approx(threshold / 2)
        )
        tried += 1
    assert tried >= 5
