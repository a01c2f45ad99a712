"""evaluate(): metrics.json of the contract, honest beside baselines, undefined where undefined, never NaN."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from goodfit.bundle import ThresholdRule
from goodfit.data import Table
from goodfit.errors import ConfigurationError, DataError
from goodfit.evaluation import INSPECTIONS, EvaluateSection, Evaluation, evaluate, verdict
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.screen import render_table
from goodfit.metrics import METRICS

TASKS = ("binary", "multiclass", "regression")
OFF: dict[str, Any] = {kind: {"enabled": False} for kind in INSPECTIONS}
QUICK = EvaluateSection(bootstrap=BootstrapSection(resamples=200), **OFF)


@pytest.fixture(scope="module")
def evaluations(world: Callable[..., Any]) -> dict[str, Evaluation]:
    return {task: evaluate((made := world(task)).oracle, made.parts, QUICK, 7) for task in TASKS}


def all_leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for child in value.values() for leaf in all_leaves(child)]
    return [value]


@pytest.mark.parametrize("task", TASKS)
def test_metrics_json_has_the_contracts_shape(evaluations: dict[str, Evaluation], task: str) -> None:
    written = evaluations[task].to_dict()
    names = set(evaluations[task].metrics)
    for split in ("train", "valid", "test"):
        assert set(written[split]) == names
        for estimate in written[split].values():
            assert set(estimate) == {"value", "low", "high"}
            assert estimate["low"] <= estimate["value"] <= estimate["high"]
    assert set(written["generalization_gap"]) == names
    assert set(written["baselines"]) == set(written["comparison"]) == {"dummy", "linear", "boosting"}
    assert all(set(estimates) == names for estimates in written["baselines"].values())
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert len(all_leaves(written)) > 60


@pytest.mark.parametrize("task", TASKS)
def test_values_are_the_metrics_of_the_predictions(
    evaluations: dict[str, Evaluation], world: Callable[..., Any], task: str
) -> None:
    made = world(task)
    said = made.oracle.predict(made.parts.test.frame)
    target = made.parts.test.frame["y"]
    if task != "regression":
        target = target.map({name: code for code, name in enumerate(made.schema.classes)})
    for name in evaluations[task].metrics:
        needed = said.argmax(axis=1) if METRICS[name].facts["needs"] == "classes" else said
        value = METRICS[name].cls().compute(target.to_numpy(), needed)
        assert evaluations[task].splits["test"][name].value == pytest.approx(value)


@pytest.mark.parametrize("task", TASKS)
def test_who_knows_the_world_beats_the_simple_baselines_and_trees_beat_the_linear_one(
    evaluations: dict[str, Evaluation], task: str
) -> None:
    result = evaluations[task]
    first = result.metrics[0]
    assert result.comparison["dummy"][first].finding == "better"
    assert result.comparison["linear"][first].finding == "better"
    assert result.baselines["boosting"][first].value < result.baselines["linear"][first].value
    assert result.baselines["linear"][first].value < result.baselines["dummy"][first].value
    assert result.splits["test"][first].value < result.baselines["boosting"][first].value


def test_the_dummy_is_worth_nothing(evaluations: dict[str, Evaluation]) -> None:
    assert evaluations["binary"].baselines["dummy"]["roc_auc"].value == 0.5
    assert evaluations["multiclass"].baselines["dummy"]["balanced_accuracy"].value == pytest.approx(1 / 3)
    assert evaluations["regression"].baselines["dummy"]["r2"].value == pytest.approx(0, abs=0.02)


def test_after_a_refit_the_valid_rows_are_marked_as_seen(world: Callable[..., Any]) -> None:
    made = world("binary")
    before = evaluate(made.oracle, made.parts, QUICK, 7)
    made.oracle.trained_on = ("train", "valid")
    after = evaluate(made.oracle, made.parts, QUICK, 7)
    assert (before.to_dict()["seen"], after.to_dict()["seen"]) == (["train"], ["train", "valid"])
    assert "valid" not in before.notes
    assert "trained on these rows too" in after.notes["valid"]
    assert before.to_dict()["valid"] == after.to_dict()["valid"], "the figures stay, and say what they are of"
    assert "valid (seen)" in [column.header for column in render_table(after).columns]
    assert "valid (seen)" not in [column.header for column in render_table(before).columns]


@pytest.mark.parametrize("task", TASKS)
def test_the_gap_is_positive_where_test_is_worse(world: Callable[..., Any], task: str) -> None:
    made = world(task)
    learnt_by_heart = made.parts.train.frame

    def predict(frame: Any) -> np.ndarray:
        answer = made.oracle.predict(frame)
        return answer if frame is learnt_by_heart else answer[np.random.default_rng(0).permutation(len(answer))]

    about = {"schema": made.schema, "preprocessor": made.oracle.preprocessor, "threshold": 0.5, "rule": None}
    about |= {"trained_on": ("train",)}
    bundle = SimpleNamespace(predict=predict, **about)
    gaps = evaluate(bundle, made.parts, QUICK, 7).generalization_gap
    assert len(gaps) >= 4
    assert all(gap > 0.02 for gap in gaps.values()), gaps


def test_equal_seeds_give_equal_results_and_others_other_intervals(world: Callable[..., Any]) -> None:
    made = world("binary")
    one, two, other = (evaluate(made.oracle, made.parts, QUICK, seed).to_dict() for seed in (1, 1, 2))
    assert one == two
    assert one["test"]["log_loss"]["value"] == other["test"]["log_loss"]["value"]
    assert one["test"]["log_loss"]["low"] != other["test"]["log_loss"]["low"]


def test_the_bundles_threshold_decides_for_the_model_alone(world: Callable[..., Any]) -> None:
    made = world("binary")
    section = EvaluateSection(metrics=["recall", "log_loss"], bootstrap=QUICK.bootstrap, **OFF)
    made.oracle.threshold = 0.01
    eager = evaluate(made.oracle, made.parts, section, 7)
    assert eager.splits["test"]["recall"].value > 0.97
    assert eager.baselines["linear"]["recall"].value < 0.97
    assert sum(eager.confusion[0]) + sum(eager.confusion[1]) == 400


def test_groups_of_the_schema_widen_the_intervals(world: Callable[..., Any]) -> None:
    def width(grouped: bool) -> float:
        made = world("regression", grouped=grouped)
        for table in (made.parts.train, made.parts.valid, made.parts.test):
            offset = np.random.default_rng(0).normal(0, 3, int(table.frame["clan"].max()) + 1)
            table.frame["y"] = table.frame["y"] + offset[table.frame["clan"]]
        estimate = evaluate(made.oracle, made.parts, QUICK, 7).splits["test"]["rmse"]
        return estimate.high - estimate.low

    assert width(True) > 1.5 * width(False)


def only(table: Table, answer: str) -> Table:
    return table.take((table.frame["y"] == answer).to_numpy())


def test_a_split_with_one_class_gives_null_and_a_reason(world: Callable[..., Any]) -> None:
    made = world("binary")
    made.parts.test = only(made.parts.test, "No")
    written = evaluate(made.oracle, made.parts, QUICK, 7).to_dict()
    assert written["test"]["roc_auc"] == {"value": None, "low": None, "high": None}
    assert written["generalization_gap"]["roc_auc"] is None
    assert written["comparison"]["linear"]["roc_auc"]["difference"] is None
    assert "a class has no row" in written["notes"]["test.roc_auc"]
    assert "baselines.linear.roc_auc" in written["notes"]
    assert written["test"]["log_loss"]["value"] > 0
    json.dumps(written, allow_nan=False)


def test_a_class_of_two_rows_gets_a_note_for_the_resamples_without_it(world: Callable[..., Any]) -> None:
    made = world("binary")
    test = made.parts.test
    positives = np.flatnonzero(test.frame["y"] == "Yes")[2:]
    made.parts.test = test.take(~np.isin(np.arange(len(test)), positives))
    note = evaluate(made.oracle, made.parts, QUICK, 7).notes["test.roc_auc"]
    assert note.startswith("has no value on ")
    assert note.endswith(" of 200 resamples")


def test_the_first_metric_undefined_leaves_no_verdict(world: Callable[..., Any]) -> None:
    made = world("binary")
    made.parts.test = only(made.parts.test, "Yes")
    section = EvaluateSection(metrics=["roc_auc", "recall"], bootstrap=QUICK.bootstrap, **OFF)
    assert verdict(evaluate(made.oracle, made.parts, section, 7)).endswith("no verdict.")


@pytest.mark.parametrize(("noise", "start"), [(0.0, "Better"), (30.0, "Worse")])
def test_the_verdict_follows_the_paired_interval(world: Callable[..., Any], noise: float, start: str) -> None:
    made = world("binary", (600, 300, 4000), noise=noise)
    assert verdict(evaluate(made.oracle, made.parts, QUICK, 7)).startswith(
        f"{start} than the boosting baseline: log_loss"
    )


@pytest.mark.parametrize("task", TASKS)
def test_nan_predictions_are_refused(world: Callable[..., Any], task: str) -> None:
    made = world(task)
    answer = made.oracle.predict

    def broken(frame: Any) -> np.ndarray:
        found = answer(frame)
        found[3] = np.inf
        return found

    made.oracle.predict = broken
    with pytest.raises(DataError, match=r"column 'y'.*NaN or infinite in 1 of 600 train rows"):
        evaluate(made.oracle, made.parts, QUICK, 7)


def test_predictions_of_a_wrong_shape_are_refused(world: Callable[..., Any]) -> None:
    made = world("binary")
    made.oracle.predict = lambda frame: np.zeros(len(frame))
    with pytest.raises(DataError, match=r"shape \(600,\) instead of \(600, 2\)"):
        evaluate(made.oracle, made.parts, QUICK, 7)


@pytest.mark.parametrize(("task", "value"), [("binary", "Perhaps"), ("binary", None), ("regression", np.inf)])
def test_targets_that_cannot_be_judged_are_refused(world: Callable[..., Any], task: str, value: object) -> None:
    made = world(task)
    frame = made.parts.test.frame.copy()
    frame["y"] = frame["y"].astype(object)
    frame.loc[5, "y"] = value
    made.parts.test = Table(frame if task == "binary" else frame.astype({"y": float}), made.schema)
    with pytest.raises(DataError, match="column 'y'"):
        evaluate(made.oracle, made.parts, QUICK, 7)


def test_a_metric_of_another_task_is_refused(world: Callable[..., Any]) -> None:
    made = world("regression")
    with pytest.raises(ConfigurationError, match="does not fit the task regression"):
        evaluate(made.oracle, made.parts, EvaluateSection(metrics=["log_loss"], **OFF), 7)


def test_an_evaluation_is_a_value(evaluations: dict[str, Evaluation]) -> None:
    result = evaluations["binary"]
    renamed = replace(result, generalization_gap={"log_loss": math.inf})
    assert renamed.to_dict()["generalization_gap"] == {"log_loss": None}


def test_an_inspection_that_fails_loses_its_own_finding_alone(
    world: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The oracle is no bundle: what needs a network fails, and the figures are those without inspections."""
    made = world("binary")
    section = EvaluateSection(bootstrap=QUICK.bootstrap, **{**OFF, "cost": {"enabled": True}})
    found = evaluate(made.oracle, made.parts, section, 7)
    assert set(found.inspected.failures) == {"cost"}
    assert "AttributeError" in found.inspected.failures["cost"]
    assert "Traceback" in found.inspected.tracebacks["cost"]
    assert "the inspection 'cost' failed and is left out" in capsys.readouterr().err
    assert found.splits == evaluate(made.oracle, made.parts, QUICK, 7).splits


def test_baselines_decide_by_the_model_s_rule_too(world: Callable[..., Any]) -> None:
    """Without it a model that must find nine of ten would look less accurate than baselines that need not."""
    made = world("binary")
    section = QUICK.model_copy(update={"metrics": ["log_loss", "f1", "accuracy"]})
    half = evaluate(made.oracle, made.parts, section, 7)
    made.oracle.rule = ThresholdRule("recall", {"target": 0.95}, 0.95, True, 300)
    eager = evaluate(made.oracle, made.parts, section, 7)
    positive = float((made.parts.test.frame["y"] == "Yes").mean())
    assert eager.baselines["dummy"]["accuracy"].value == pytest.approx(positive), "it must name every row"
    assert eager.baselines["dummy"]["f1"].value == pytest.approx(2 * positive / (1 + positive))
    for name in ("linear", "boosting"):
        assert eager.baselines[name]["log_loss"].value == half.baselines[name]["log_loss"].value
        assert eager.baselines[name]["accuracy"].value < half.baselines[name]["accuracy"].value
