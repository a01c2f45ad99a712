"""What the page says about probabilities, intervals and the threshold."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goodfit.bundle import PredictionInterval
from goodfit.calibration import CalibrationSection, calibrated
from goodfit.evaluation import INSPECTIONS
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.inspections import Finding, Subject
from goodfit.evaluation.targets import predicted, target_values

spec = importlib.util.spec_from_file_location(
    "made_for_inspections", Path(__file__).parents[1] / "calibration/conftest.py"
)
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)
make = made_up.made.__wrapped__()


def inspected(kind: str, bundle: Any, valid: Any, test: Any, groups: Any = None) -> Finding | None:
    tables = {"train": valid, "valid": valid, "test": test}
    targets = {split: target_values(bundle, table) for split, table in tables.items()}
    said = {split: predicted(bundle, table, split) for split, table in tables.items()}
    about = bundle, bundle.schema, bundle.task, 1, tables, targets, said, {"train": None, "valid": None, "test": groups}
    metric = "rmse" if bundle.task == "regression" else "log_loss"
    return INSPECTIONS[kind].cls().inspect(Subject(*about, metric, BootstrapSection(resamples=200)))


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_an_overconfident_model_is_seen_and_a_temperature_mends_it(task: str) -> None:
    bundle, valid, test = make(task, 4.0)
    before = inspected("calibration", bundle, valid, test)
    after = inspected("calibration", calibrated(bundle, valid, CalibrationSection()), valid, test)
    assert before.figures["ece"] > 0.1 > 0.03 > after.figures["ece"]
    assert after.figures["ece_before"] == pytest.approx(before.figures["ece"], abs=1e-6)
    assert len(before.warnings) == 1
    assert not after.warnings
    assert "temperature" not in before.tables
    losses = after.tables["temperature"].set_index(["split", "temperature"])["log_loss"]
    assert losses["test", "after"] < losses["test", "before"]
    assert before.figures["ece_low"] <= before.figures["ece"] <= before.figures["ece_high"]
    assert str(after.charts[0][1]).startswith("<svg")
    again = inspected("calibration", calibrated(bundle, valid, CalibrationSection()), valid, test)
    assert (again.figures, again.charts) == (after.figures, after.charts)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_temperature_that_does_harm_on_test_is_called_out(task: str) -> None:
    """Valid rows of another season ask for a temperature that the test rows do not bear."""
    overconfident, valid, _ = make(task, 4.0)
    sound, _, test = make(task, 1.0)
    harmful = replace(sound, temperature=calibrated(overconfident, valid, CalibrationSection()).temperature)
    found = inspected("calibration", harmful, valid, test)
    assert harmful.temperature > 2
    assert found.figures["temperature_log_loss_change"] > 0.01
    assert "makes the log loss of the test rows worse" in found.warnings[0]
    assert "Set calibration.temperature: false." in found.warnings[0]
    helpful = inspected("calibration", calibrated(overconfident, valid, CalibrationSection()), valid, test)
    assert helpful.figures["temperature_log_loss_change"] < -0.01
    assert not helpful.warnings
    slight = inspected("calibration", replace(sound, temperature=1.001), valid, test)
    assert not any("worse" in warning for warning in slight.warnings), "no alarm for what chance explains"


def test_intervals_are_verified_on_test() -> None:
    bundle, valid, test = make("regression", count=3000)
    found = inspected("calibration", calibrated(bundle, valid, CalibrationSection(coverage=0.8)), valid, test)
    assert found.figures["coverage"] == pytest.approx(0.8, abs=0.025)
    assert found.figures["coverage_low"] < 0.8 < found.figures["coverage_high"]
    assert found.figures["coverage_nominal"] == 0.8
    assert not found.warnings
    narrow = replace(bundle, interval=PredictionInterval(0.9, (), (0.5,)))
    assert "hold" in inspected("calibration", narrow, valid, test).warnings[0]
    assert inspected("calibration", bundle, valid, test) is None, "without intervals there is nothing to say"


def test_the_threshold_is_judged_on_test_beside_valid_where_it_was_chosen() -> None:
    bundle, valid, test = make("binary")
    section = CalibrationSection(threshold={"kind": "recall", "target": 0.9})
    chosen = calibrated(bundle, valid, section)
    found = inspected("threshold", chosen, valid, test)
    table = found.tables["figures"].set_index("figure")
    assert table.loc["recall", "valid"] == pytest.approx(chosen.rule.value)
    assert found.figures["recall_low"] < 0.9 < found.figures["recall_high"]
    assert found.figures["threshold"] == chosen.threshold
    assert "2,000 valid rows" in found.summary
    assert not found.warnings


@pytest.mark.parametrize("kind", ["metric", "cost"])
def test_what_was_optimised_is_reported(kind: str) -> None:
    bundle, valid, test = make("binary")
    chosen = calibrated(bundle, valid, CalibrationSection(threshold={"kind": kind}))
    found = inspected("threshold", chosen, valid, test)
    name = "f1" if kind == "metric" else "cost"
    assert found.tables["figures"].set_index("figure").loc[name, "valid"] == pytest.approx(chosen.rule.value)
    assert found.figures[f"{name}_low"] < found.figures[name] < found.figures[f"{name}_high"]


def test_a_target_out_of_reach_is_a_warning() -> None:
    bundle, valid, test = make("binary")
    target = valid.frame["y"].to_numpy().copy()
    target[np.argsort(-valid.frame["logit0"].to_numpy())[:40]] = "no"
    spoiled = replace(valid, frame=valid.frame.assign(y=target))
    section = CalibrationSection(threshold={"kind": "precision", "target": 0.995})
    found = inspected("threshold", calibrated(bundle, spoiled, section), spoiled, test)
    assert "cannot be reached" in found.warnings[0]
    assert "precision of at least 0.995" in found.warnings[0]


def test_groups_widen_what_is_said_about_the_test_rows() -> None:
    bundle, valid, test = make("binary")
    alone = inspected("threshold", bundle, valid, test)
    together = inspected("threshold", bundle, valid, test, np.repeat(np.arange(40), 100))
    for found in (alone, together):
        assert "was given" in found.summary
    assert alone.figures["recall"] == together.figures["recall"]
    assert alone.figures["recall_low"] != together.figures["recall_low"]
