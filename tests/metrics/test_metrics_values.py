"""Every metric gives scikit-learn's value, weighted too; and says so where there is none."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from goodfit.metrics import METRICS

BINARY: dict[str, Callable[..., Any]] = {
    "accuracy": sk.accuracy_score,
    "average_precision": lambda y, p, **k: sk.average_precision_score(y, p[:, 1], **k),
    "balanced_accuracy": sk.balanced_accuracy_score,
    "brier": lambda y, p, **k: sk.brier_score_loss(y, p[:, 1], **k),
    "f1": sk.f1_score,
    "log_loss": lambda y, p, **k: sk.log_loss(y, p, labels=[0, 1], **k),
    "macro_f1": lambda y, p, **k: sk.f1_score(y, p, average="macro", **k),
    "mcc": sk.matthews_corrcoef,
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "roc_auc": lambda y, p, **k: sk.roc_auc_score(y, p[:, 1], **k),
}
MULTICLASS: dict[str, Callable[..., Any]] = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "brier": lambda y, p, **k: sk.brier_score_loss(y, p, labels=range(p.shape[1]), **k),
    "log_loss": lambda y, p, **k: sk.log_loss(y, p, labels=range(p.shape[1]), **k),
    "macro_f1": lambda y, p, **k: sk.f1_score(y, p, average="macro", **k),
    "mcc": sk.matthews_corrcoef,
    "roc_auc": lambda y, p, **k: sk.roc_auc_score(y, p, multi_class="ovr", **k),
}
REGRESSION: dict[str, Callable[..., Any]] = {
    "mae": sk.mean_absolute_error,
    "mape": sk.mean_absolute_percentage_error,
    "median_absolute_error": sk.median_absolute_error,
    "r2": sk.r2_score,
    "rmse": sk.root_mean_squared_error,
}
REFERENCES = {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION}
CASES = [(task, name) for task, references in REFERENCES.items() for name in references]


def test_every_metric_has_a_reference() -> None:
    assert {(task, name) for name in METRICS for task in METRICS[name].facts["tasks"]} == set(CASES)


def rows_of(task: str, rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    if task == "regression":
        return rng.normal(3, 2, rows), rng.normal(3, 2, rows)
    classes = 2 if task == "binary" else 3
    target = np.append(np.arange(classes), rng.integers(0, classes, rows - classes))
    scores = rng.random((rows, classes)).round(1) + 0.1
    return target, scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("task", "name"), CASES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(4, 60), weighted=st.booleans())
def test_values_are_those_of_scikit_learn(task: str, name: str, seed: int, rows: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    target, prediction = rows_of(task, rng, rows)
    if METRICS[name].facts["needs"] == "classes":
        prediction = prediction.argmax(axis=1)
        prediction[:2] = (0, 1)  # so that precision has rows to judge
    weights = rng.integers(1, 5, rows).astype(float) if weighted and name != "median_absolute_error" else np.ones(rows)
    ours = METRICS[name].cls().weighted(target, prediction)(weights[:, None])[0]
    theirs = REFERENCES[task][name](target, prediction, sample_weight=weights)
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "target", "prediction"),
    [
        ("roc_auc", [1, 1], [[0.5, 0.5], [0.2, 0.8]]),
        ("roc_auc", [0, 1], [[0.5, 0.3, 0.2], [0.2, 0.4, 0.4]]),
        ("average_precision", [0, 0], [[0.5, 0.5], [0.2, 0.8]]),
        ("precision", [0, 1], [0, 0]),
        ("recall", [0, 0], [0, 1]),
        ("f1", [0, 0], [0, 0]),
        ("r2", [0.1, 0.1, 0.1], [0.1, 0.2, 0.3]),
        ("mape", [0.0, 1.0], [1.0, 1.0]),
    ],
)
def test_undefined_is_nan_with_a_reason_and_without_a_warning(name: str, target: Any, prediction: Any) -> None:
    metric = METRICS[name].cls()
    assert np.isnan(metric.compute(np.array(target), np.array(prediction)))
    assert metric.undefined.startswith("is undefined: ")


def test_a_certain_and_wrong_answer_costs_a_finite_log_loss() -> None:
    loss = METRICS["log_loss"].cls().compute(np.array([1]), np.array([[1.0, 0.0]], dtype=np.float32))
    assert loss == pytest.approx(23 * np.log(2))


def test_auc_of_ties_alone_is_a_half() -> None:
    target, same = np.array([0, 1, 1, 0]), np.full((4, 2), 0.5)
    assert METRICS["roc_auc"].cls().compute(target, same) == 0.5
    assert METRICS["average_precision"].cls().compute(target, same) == 0.5


def test_a_constant_answer_is_worth_nothing() -> None:
    target, constant = np.array([0, 0, 0, 1]), np.zeros(4, dtype=int)
    assert METRICS["mcc"].cls().compute(target, constant) == 0
    assert METRICS["balanced_accuracy"].cls().compute(target, constant) == 0.5
    values = np.array([1.0, 2.0, 6.0])
    assert METRICS["r2"].cls().compute(values, np.full(3, 3.0)) == pytest.approx(0)


def test_r2_keeps_its_digits_far_from_zero() -> None:
    target = 1e8 + np.arange(5.0)
    assert METRICS["r2"].cls().compute(target, target + 0.5) == pytest.approx(1 - 0.25 / 2)
