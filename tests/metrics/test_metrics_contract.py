"""What every registered metric promises; a new one inherits these tests."""

import numpy as np
import pytest

from goodfit.metrics import METRICS
from goodfit.registry import option_names

NEEDS = {"probabilities", "classes", "values"}
CASES = [(name, task) for name in METRICS for task in METRICS[name].facts["tasks"]]


def example(name: str, task: str, rows: int = 80, seed: int = 0, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and the predictions that a metric needs, with ties."""
    rng = np.random.default_rng(seed)
    if task == "regression":
        target = rng.normal(5, 1, rows)
        return target, target + spread * rng.normal(0, 0.5, rows).round(1)
    classes = 2 if task == "binary" else 4
    target = np.append(np.arange(classes), rng.integers(0, classes, rows - classes))
    scores = rng.random((rows, classes)).round(1) * spread + 0.3
    scores[np.arange(rows), target] += 0.5
    probability = scores / scores.sum(axis=1, keepdims=True)
    return target, probability.argmax(axis=1) if METRICS[name].facts["needs"] == "classes" else probability


def test_there_are_metrics_for_every_task() -> None:
    assert len(METRICS) >= 16
    assert {task for _, task in CASES} == {"binary", "multiclass", "regression"}


@pytest.mark.parametrize("name", list(METRICS))
def test_facts_are_complete(name: str) -> None:
    facts = METRICS[name].facts
    assert set(facts) == {"tasks", "direction", "needs", "summary"}
    assert facts["direction"] in ("minimize", "maximize")
    assert facts["needs"] in NEEDS
    assert facts["summary"] == facts["summary"].strip(". ")
    assert not option_names(METRICS[name].cls), "evaluate.metrics names metrics; they have no options"


@pytest.mark.parametrize(("name", "task"), CASES)
def test_weights_of_one_give_the_metric(name: str, task: str) -> None:
    target, prediction = example(name, task)
    member = METRICS[name].cls()
    value = member.weighted(target, prediction)(np.ones((len(target), 3)))
    assert value.shape == (3,)
    assert np.isfinite(value).all()
    assert np.allclose(value, member.compute(target, prediction), rtol=1e-12)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_a_weight_is_as_good_as_a_repetition(name: str, task: str) -> None:
    """The bootstrap stands on this: weighting rows by counts is drawing them that often."""
    target, prediction = example(name, task)
    counts = np.random.default_rng(1).poisson(1.0, (len(target), 5)) + (np.arange(len(target)) < 4)[:, None]
    weighted = METRICS[name].cls().weighted(target, prediction)(counts.astype(float))
    for column in range(5):
        rows = np.repeat(np.arange(len(target)), counts[:, column])
        repeated = METRICS[name].cls().compute(target[rows], prediction[rows])
        assert weighted[column] == pytest.approx(repeated, rel=1e-9), column


@pytest.mark.parametrize(("name", "task"), CASES)
def test_scale_and_order_of_rows_do_not_matter(name: str, task: str) -> None:
    target, prediction = example(name, task)
    weights = np.random.default_rng(2).random((len(target), 2)) + 0.1
    value = METRICS[name].cls().weighted(target, prediction)(weights)
    order = np.random.default_rng(3).permutation(len(target))
    shuffled = METRICS[name].cls().weighted(target[order], prediction[order])(7 * weights[order])
    assert np.allclose(value, shuffled, rtol=1e-9)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_the_direction_is_right(name: str, task: str) -> None:
    """Perfect predictions are at least as good as noisy ones, by the direction that the registration states."""
    target, noisy = example(name, task, spread=3.0)
    perfect = {
        "values": target,
        "classes": target,
        "probabilities": np.eye(max(2, int(target.max()) + 1))[target.astype(int)],
    }
    best = METRICS[name].cls().compute(target, perfect[METRICS[name].facts["needs"]])
    worse = METRICS[name].cls().compute(target, noisy)
    assert best < worse if METRICS[name].facts["direction"] == "minimize" else best > worse


@pytest.mark.parametrize(("name", "task"), CASES)
def test_float32_predictions_and_no_weight_at_all(name: str, task: str) -> None:
    target, prediction = example(name, task)
    narrow = prediction.astype(np.float32) if prediction.dtype.kind == "f" else prediction
    member = METRICS[name].cls()
    assert member.compute(target, narrow) == pytest.approx(member.compute(target, prediction), rel=1e-2)
    if name != "mcc":  # which is 0 by convention where anything is constant
        assert np.isnan(member.weighted(target, prediction)(np.zeros((len(target), 1)))).all()


@pytest.mark.parametrize("name", list(METRICS))
def test_the_reason_for_no_value_reads_well_after_the_name(name: str) -> None:
    assert METRICS[name].cls.undefined.startswith(("is ", "has "))
