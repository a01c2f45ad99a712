"""Gates: refused at load when they cannot be judged, and each passes and fails where it must."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.errors import ConfigurationError
from goodfit.evaluation import Comparison, Estimate, EvaluateSection, Evaluation, Evidence, built_gates, check_section
from goodfit.evaluation.decision import decide
from goodfit.evaluation.gates import GATES, Outcome
from goodfit.evaluation.inspecting import Inspected
from goodfit.evaluation.inspections import Finding
from goodfit.params import check
from goodfit.registry import Section

COST = {"latency_row_median_ms": 2.0, "latency_row_p95_ms": 9.0, "parameters": 5000.0, "bundle_mb": 0.02}


class Params(Section):
    evaluate: EvaluateSection = EvaluateSection()


def found(test: tuple[float, float, float] = (0.40, 0.37, 0.43), against: str = "better") -> Evaluation:
    ends = {"better": (-0.05, -0.08, -0.02), "undecided": (-0.01, -0.03, 0.01), "worse": (0.05, 0.02, 0.08)}[against]
    compared = Comparison(*ends, 0.9, against)  # type: ignore[arg-type]
    figures = {name: {"log_loss": Estimate(*test)} for name in ("train", "valid", "test")}
    return Evaluation(
        "binary", ("No", "Yes"), ("log_loss",), {"train": 60, "valid": 20, "test": 20}, 100, 0.95, figures,
        {"log_loss": 0.02}, {"linear": {"log_loss": Estimate(0.45, 0.4, 0.5)}}, {"linear": {"log_loss": compared}},
    )  # fmt: skip


def judged(gate: dict[str, Any], evaluation: Evaluation | None = None, cost: dict[str, float] = COST) -> Outcome:
    params = check({"evaluate": {"gates": [gate]}}, Params, "params.yaml")
    (built,) = built_gates(params.evaluate)
    return built.judge(Evidence(evaluation or found(), cost))


def refused(gates: Any, task: Any = "binary") -> str:
    with pytest.raises(ConfigurationError) as caught:
        params = check({"evaluate": {"gates": gates}}, Params, "params.yaml")
        check_section(params.evaluate, task)
    return str(caught.value)


@pytest.mark.parametrize(
    ("gate", "passed"),
    [
        ({"kind": "metric", "name": "log_loss", "max": 0.41}, True),
        ({"kind": "metric", "name": "log_loss", "max": 0.39}, False),
        ({"kind": "metric", "name": "log_loss", "max": 0.41, "end": "high"}, False),
        ({"kind": "metric", "name": "log_loss", "min": 0.38, "end": "low"}, False),
        ({"kind": "metric", "name": "log_loss", "min": 0.3, "max": 0.5, "split": "train"}, True),
        ({"kind": "baseline", "name": "linear"}, True),
        ({"kind": "baseline", "name": "linear", "margin": 0.03}, False),
        ({"kind": "baseline", "name": "linear", "margin": 0.03, "end": "value"}, True),
        ({"kind": "gap", "max": 0.03}, True),
        ({"kind": "gap", "max": 0.01}, False),
        ({"kind": "latency", "max_ms": 3}, True),
        ({"kind": "latency", "max_ms": 3, "quantile": "p95"}, False),
        ({"kind": "size", "max_mb": 1, "max_parameters": 5000}, True),
        ({"kind": "size", "max_mb": 0.01}, False),
        ({"kind": "size", "max_mb": 1, "max_parameters": 4999}, False),
    ],
)
def test_a_gate_passes_and_fails_where_it_must(gate: dict[str, Any], passed: bool) -> None:
    assert judged(gate).passed is passed


def test_a_gate_on_valid_rows_fails_where_the_model_was_trained_on_them() -> None:
    gate = {"kind": "metric", "name": "log_loss", "max": 0.41, "split": "valid"}
    assert judged(gate).passed
    outcome = judged(gate, replace(found(), seen=("train", "valid")))
    assert not outcome.passed
    assert "ask of split test" in outcome.found
    assert judged(gate | {"split": "test"}, replace(found(), seen=("train", "valid"))).passed


def test_worse_than_the_baseline_by_less_than_allowed_passes() -> None:
    gate = {"kind": "baseline", "name": "linear", "margin": -0.02}
    assert judged(gate, found(against="undecided")).passed
    assert not judged(gate, found(against="worse")).passed


@pytest.mark.parametrize("kind", ["metric", "gap", "baseline"])
def test_an_undefined_figure_fails_its_gate(kind: str) -> None:
    nothing = found((np.nan, np.nan, np.nan))
    empty = Comparison(np.nan, np.nan, np.nan, np.nan, "undecided")
    nothing = replace(nothing, generalization_gap={"log_loss": np.nan}, comparison={"linear": {"log_loss": empty}})
    options = {
        "metric": {"name": "log_loss", "max": 9},
        "gap": {"max": 9},
        "baseline": {"name": "linear", "margin": -9},
    }
    outcome = judged({"kind": kind, **options[kind]}, nothing)
    assert not outcome.passed
    assert outcome.found == "undefined"


def test_what_was_not_measured_fails_its_gate() -> None:
    outcome = judged({"kind": "latency", "max_ms": 1000}, cost={})
    assert not outcome.passed
    assert "not measured" in outcome.found


def test_figures_of_inspections_have_gates() -> None:
    inspected = Inspected({"cost": Finding("t", "s", figures={"inputs": 61.0})})
    evaluation = replace(found(), inspected=inspected)
    assert judged({"kind": "finding", "inspection": "cost", "figure": "inputs", "max": 61}, evaluation).passed
    assert not judged({"kind": "finding", "inspection": "cost", "figure": "inputs", "max": 60}, evaluation).passed
    absent = judged({"kind": "finding", "inspection": "cost", "figure": "input", "max": 60}, evaluation)
    assert not absent.passed
    assert "inputs" in absent.found


@pytest.mark.parametrize(("end", "passed"), [("value", True), ("low", True), ("high", False)])
def test_calibration_has_a_gate(end: str, passed: bool) -> None:
    figures = {"ece": 0.03, "ece_low": 0.02, "ece_high": 0.06}
    evaluation = replace(found(), inspected=Inspected({"calibration": Finding("t", "s", figures=figures)}))
    assert judged({"kind": "calibration", "max": 0.05, "end": end}, evaluation).passed is passed
    assert not judged({"kind": "calibration", "max": 1}, found()).passed, "not inspected, nothing shown"


@pytest.mark.parametrize(("end", "passed"), [("value", True), ("low", False)])
def test_coverage_has_the_same_gate(end: str, passed: bool) -> None:
    figures = {"coverage": 0.89, "coverage_low": 0.86, "coverage_high": 0.92, "coverage_nominal": 0.9}
    evaluation = replace(
        found(), task="regression", inspected=Inspected({"calibration": Finding("t", "s", figures=figures)})
    )
    assert judged({"kind": "calibration", "max": 0.02, "end": end}, evaluation).passed is passed


def test_one_bad_slice_fails_and_a_small_one_does_not_count() -> None:
    table = pd.DataFrame({"slice": ["a = 1", "a = 2", "a = 3"], "rows": [500, 40, 5], "value": [0.4, 0.6, 0.9]})
    evaluation = replace(found(), inspected=Inspected({"slices": Finding("t", "s", {"declared": table})}))
    outcome = judged({"kind": "slices", "worst": 0.5}, evaluation)
    assert not outcome.passed
    assert "a = 2: 0.6" in outcome.found
    assert "a = 3" not in outcome.found
    assert judged({"kind": "slices", "worst": 0.7}, evaluation).passed
    assert not judged({"kind": "slices", "worst": 0.7}, found()).passed, "no slice declared, nothing shown"


@pytest.mark.parametrize(
    ("gates", "parts"),
    [
        ([{"kind": "metrik", "max": 1}], ("evaluate.gates.0.kind", "metrik", "Did you mean 'metric'?")),
        ([{"kind": "metric", "name": "log_loss"}], ("evaluate.gates.0.min", "no bound")),
        ([{"kind": "metric", "name": "log_loss", "min": 2, "max": 1}], ("evaluate.gates.0.min", "above max")),
        ([{"kind": "metric", "name": "f1", "min": "high"}], ("evaluate.gates.0.min", "needs a number")),
        ([{"kind": "metric", "name": "rmse", "max": 1}], ("evaluate.gates.0.name", "rmse", "evaluate.metrics")),
        ([{"kind": "gap", "max": 1}, {"kind": "gap", "max": 1, "metric": "nope"}], ("evaluate.gates.1.metric",)),
        ([{"kind": "baseline", "name": "liner"}], ("evaluate.gates.0.name", "Did you mean 'linear'?")),
        ([{"kind": "finding", "inspection": "costs", "figure": "x", "max": 1}], ("gates.0.inspection", "'cost'")),
        ([{"kind": "latency"}], ("evaluate.gates.0.max_ms", "is missing")),
        ([{"kind": "size"}], ("evaluate.gates.0.max_mb", "is missing")),
        ([{"max": 1}], ("evaluate.gates.0.kind", "is missing")),
        ({"kind": "gap"}, ("evaluate.gates", "list")),
    ],
)
def test_a_bad_gate_is_refused_at_load(gates: Any, parts: tuple[str, ...]) -> None:
    message = refused(gates)
    assert [part for part in parts if part not in message] == [], message


def test_a_gate_on_a_switched_off_inspection_is_refused() -> None:
    section = {
        "gates": [{"kind": "finding", "inspection": "cost", "figure": "inputs", "max": 1}],
        "cost": {"enabled": False},
    }
    params = check({"evaluate": section}, Params, "params.yaml")
    with pytest.raises(ConfigurationError, match="Switched-off"):
        check_section(params.evaluate, None)


def test_every_kind_of_gate_is_tried_here() -> None:
    assert set(GATES) == {"baseline", "calibration", "finding", "gap", "latency", "metric", "size", "slices"}


def test_the_decision_follows_gates_baselines_and_warnings() -> None:
    passed, failed = Outcome("gap", "asked", "found", True), Outcome("gap", "gap at most 1", "2", False)
    assert decide(found()).answer == "ship"
    assert decide(found(), [passed]).answer == "ship"
    assert decide(found(against="undecided")).answer == "care"
    assert decide(found(against="worse")).answer == "stop"
    assert decide(found(), leaks=[{"name": "constant", "passed": False, "detail": "x"}]).answer == "care"
    stopped = decide(found(), [passed, failed])
    assert stopped.answer == "stop"
    assert stopped.reasons[0].text == "Gate failed: gap at most 1; found 2."
    warned = replace(found(), inspected=Inspected({"x": Finding("t", "s", warnings=("mind this",))}, {"y": "broke"}))
    assert decide(warned).answer == "care"
    assert "mind this" in decide(warned).reasons[0].text
