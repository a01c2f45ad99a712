"""Slices, mistakes, robustness and behaviour as inspections of a real trained network, and what they refuse."""

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.bundle import Bundle
from goodfit.data import Column
from goodfit.errors import ConfigurationError
from goodfit.evaluation import INSPECTIONS, EvaluateSection, Evaluation, evaluate
from goodfit.evaluation.bootstrap import Resampling
from goodfit.evaluation.robustness import missing, moved, perturbed, spread
from goodfit.params import check
from goodfit.registry import Section
from goodfit.training import FitSections, TrainingData, fit

TASKS = ["binary", "multiclass", "regression"]
ON = ("slices", "mistakes", "robustness", "behaviour")
OFF: dict[str, Any] = {kind: {"enabled": False} for kind in INSPECTIONS if kind not in ON}
SMALL: dict[str, Any] = {"bootstrap": {"resamples": 100}, **OFF}
DECLARED = {
    "columns": ["colour"],
    "bins": {"x0": [-1.0, 1.0]},
    "crosses": [["colour", "x0"]],
    "protected": ["colour"],
}


def trained(made: Any) -> Bundle:
    training = {
        "epochs": 8,
        "batch_size": 64,
        "optimizer": {"kind": "adam", "lr": 0.02},
        "schedule": {"kind": "constant"},
    }
    model = {"kind": "mlp", "layers": 1, "width": 32}
    sections = check({"seed": 1, "model": model, "training": training}, FitSections, "params.yaml")
    options: Section = sections.model
    data = TrainingData.of(made.parts.train, made.parts.valid, sections.training.preprocessing)
    fitted = fit(sections.recipe(made.schema), data, seed=1, state=None, progress=False)
    return Bundle(made.schema, data.preprocessor, options, sections.regularization, fitted.model)


@pytest.fixture(scope="module")
def judged(world: Callable[..., Any]) -> dict[str, tuple[Any, Bundle, Evaluation]]:
    found = {}
    for task in TASKS:
        made = world(task, (800, 400, 500))
        raised = {"kind": "directional", "add": {"x1": 1.0}, "expect": "not_lower", "max_violations": 0.1}
        raised |= {"of_class": "cat"} if task == "multiclass" else {}
        tests = [{"kind": "invariance", "set": {"colour": "red"}, "when": {"colour": "blue"}}, raised]
        section = EvaluateSection.model_validate({**SMALL, "slices": DECLARED, "behaviour": {"tests": tests}})
        bundle = trained(made)
        found[task] = made, bundle, evaluate(bundle, made.parts, section, 7)
    return found


@pytest.mark.parametrize("task", TASKS)
def test_every_inspection_answers_with_finite_figures(judged: Any, task: str) -> None:
    inspected = judged[task][2].inspected
    assert not inspected.failures
    assert list(inspected.findings) == ["slices", "mistakes", "robustness", "behaviour"]
    for finding in inspected.findings.values():
        assert finding.summary.endswith(".")
        assert finding.tables
        assert all(np.isfinite(value) for value in finding.figures.values())
    json.dumps(judged[task][2].to_dict(), allow_nan=False)


def test_labels_that_the_model_has_learned_are_not_judged_by_it(judged: Any) -> None:
    made, bundle, evaluation = judged["binary"]
    off = {kind: {"enabled": False} for kind in INSPECTIONS if kind != "mistakes"}
    section = EvaluateSection.model_validate({"bootstrap": {"resamples": 100}, "mistakes": {"train": False}, **off})
    again = evaluate(replace(bundle, trained_on=("train", "valid")), made.parts, section, 7)
    found = again.inspected.findings["mistakes"]
    assert "labels_valid" in evaluation.inspected.findings["mistakes"].tables
    assert list(found.tables) == ["worst_rows", "labels_test"]
    assert "of valid" not in found.summary


def test_equal_runs_find_the_same_to_the_bit(judged: Any) -> None:
    made, bundle, first = judged["binary"]
    tests = [{"kind": "invariance", "set": {"colour": "red"}}]
    section = EvaluateSection.model_validate({**SMALL, "slices": DECLARED, "behaviour": {"tests": tests}})
    one, same = (evaluate(bundle, made.parts, section, 7) for _ in range(2))
    assert json.dumps(one.to_dict()) == json.dumps(same.to_dict())
    for kind, finding in one.inspected.findings.items():
        for stem, table in finding.tables.items():
            pd.testing.assert_frame_equal(table, same.inspected.findings[kind].tables[stem])
    assert first.baselines["boosting"] == one.baselines["boosting"]


def test_what_the_model_was_made_to_need_is_named(judged: Any) -> None:
    for task in TASKS:
        robustness = judged[task][2].inspected.findings["robustness"]
        worst = robustness.tables["columns"].iloc[0]
        assert (worst["column"], worst["change"], worst["finding"]) == ("x0", "missing", "worse")
        assert "x0 (missing" in robustness.summary
        assert len(robustness.tables["columns"]) == 6


def test_a_colour_that_matters_fails_its_invariance(judged: Any) -> None:
    behaviour = judged["binary"][2].inspected.findings["behaviour"]
    assert behaviour.tables["tests"]["passed"].tolist() == ["no", "yes"]
    assert behaviour.figures["failed"] == 1
    assert behaviour.figures["violations.worst"] > 0.5
    assert len(behaviour.warnings) == 1
    assert set(behaviour.tables["examples_1"]["colour"]) == {"blue"}


def test_protected_groups_are_compared_and_declared_slices_listed(judged: Any) -> None:
    slices = judged["binary"][2].inspected.findings["slices"]
    assert set(slices.tables["declared"]["declared"]) == {"colour", "x0", "colour x x0"}
    assert {"slice", "rows", "value", "low", "high", "difference"} <= set(slices.tables["declared"].columns)
    assert slices.tables["groups_1"]["rows"].sum() == 500
    assert 0 < slices.figures["parity.colour.selection_rate.ratio"] <= 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"slices": {"columns": ["colur"]}},
            "evaluate.slices.columns: unknown column (it is 'colur'). Did you mean 'colour'",
        ),
        ({"slices": {"bins": {"colour": [1.0]}}}, "evaluate.slices.bins: can only cut a numeric column"),
        ({"slices": {"protected": ["sex"]}}, "evaluate.slices.protected: unknown column"),
        ({"slices": {"crosses": [["colour", "x9"]]}}, "evaluate.slices.crosses: unknown column (it is 'x9')"),
        (
            {"behaviour": {"tests": [{"kind": "invariance", "set": {"colour": "rde"}}]}},
            "evaluate.behaviour.tests.0.set.colour: is no level of the train rows (it is 'rde'). Did you mean 'red'",
        ),
        (
            {"behaviour": {"tests": [{"kind": "invariance", "set": {"color": "red"}}]}},
            "evaluate.behaviour.tests.0.set.color: is no feature",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_computed(judged: Any, options: Any, said: str) -> None:
    made, bundle, _ = judged["binary"]
    nothing = SimpleNamespace(schema=bundle.schema, preprocessor=bundle.preprocessor)
    with pytest.raises(ConfigurationError) as caught:
        evaluate(nothing, made.parts, EvaluateSection.model_validate({**SMALL, **options}), 7)  # type: ignore[arg-type]
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "bad", [{"bins": {"x": [2.0, 1.0]}}, {"bins": {"x": ["1"]}}, {"crosses": [["a", "a"]]}, {"worst": -1}]
)
def test_what_is_wrong_by_itself_is_refused_when_it_is_read(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"bins|crosses|worst"):
        EvaluateSection.model_validate({"slices": bad})


def test_noise_has_the_size_that_is_asked_and_leaves_gaps() -> None:
    rng = np.random.default_rng(0)
    numbers = pd.Series(np.where(np.arange(4000) % 10 == 0, np.nan, rng.normal(5, 2, 4000)), name="n")
    column = Column("n", "numeric", "feature")
    noisy = perturbed(numbers, column, 0.5, spread(numbers, column), np.random.default_rng(1))
    assert noisy.isna().equals(numbers.isna())
    assert (noisy - numbers).std() == pytest.approx(1.0, rel=0.1)
    times = pd.Series(pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(100), unit="D"), name="t")
    when = Column("t", "datetime", "feature")
    assert spread(times, when) == pytest.approx(np.arange(100).std() * 86400)
    assert perturbed(times, when, 0.1, spread(times, when), np.random.default_rng(1)).ne(times).all()
    levels = pd.Series(["a", "b"] * 1000, name="l")
    swapped = perturbed(levels, Column("l", "categorical", "feature"), 0.2, 0.0, np.random.default_rng(1))
    assert (swapped != levels).mean() == pytest.approx(0.1, abs=0.03), "half of the swaps meet the same level"
    assert missing(levels).isna().all()


def test_a_move_is_measured_in_probability_decisions_and_the_metric() -> None:
    target = np.array([0, 1] * 50)
    before = np.stack([1 - target * 0.8 - 0.1, target * 0.8 + 0.1], axis=1)
    answers = {"same": before, "turned": before[:, ::-1]}
    resampling = Resampling(100, 100, 0.95, 1)
    found = moved("accuracy", target, before, answers, lambda said: said.argmax(axis=1), resampling)
    assert (found["same"].difference, found["same"].prediction, found["same"].decisions) == (0, 0, 0)
    assert not found["same"].worse
    assert found["turned"].difference == -1
    assert found["turned"].prediction == pytest.approx(0.8)
    assert found["turned"].decisions == 1
    assert found["turned"].worse
