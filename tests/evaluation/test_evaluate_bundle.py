"""The real thing: a trained bundle, saved and loaded, judged with goodfit's own splits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goodfit.bundle import Bundle, load_bundle, save_bundle
from goodfit.evaluation import INSPECTIONS, EvaluateSection, evaluate
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.params import check
from goodfit.registry import Section
from goodfit.training import FitSections, TrainingData, fit

OFF: dict[str, Any] = {kind: {"enabled": False} for kind in INSPECTIONS}
QUICK = EvaluateSection(bootstrap=BootstrapSection(resamples=100), **OFF)


def trained(made: Any, model: dict[str, Any]) -> Bundle:
    training = {
        "epochs": 8,
        "batch_size": 64,
        "optimizer": {"kind": "adam", "lr": 0.02},
        "schedule": {"kind": "constant"},
    }
    sections = check({"seed": 1, "model": model, "training": training}, FitSections, "params.yaml")
    options: Section = sections.model
    data = TrainingData.of(made.parts.train, made.parts.valid, sections.training.preprocessing)
    fitted = fit(sections.recipe(made.schema), data, seed=1, state=None, progress=False)
    return Bundle(made.schema, data.preprocessor, options, sections.regularization, fitted.model)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_trained_network_is_judged_the_same_after_a_trip_to_disk(
    world: Callable[..., Any], tmp_path: Path, task: str
) -> None:
    made = world(task)
    bundle = trained(made, {"kind": "mlp", "layers": 1, "width": 32})
    save_bundle(tmp_path / "candidate", bundle)
    before = evaluate(bundle, made.parts, QUICK, 7).to_dict()
    after = evaluate(load_bundle(tmp_path / "candidate"), made.parts, QUICK, 7).to_dict()
    assert json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
    first = "rmse" if task == "regression" else "log_loss"
    assert before["comparison"]["dummy"][first]["finding"] == "better"
    assert before["comparison"]["linear"][first]["finding"] == "better", "the made-up problem is not linear"


def test_a_linear_network_and_the_linear_baseline_agree(world: Callable[..., Any]) -> None:
    """Two ways to the same model: the baseline is no straw man, and sees the same columns."""
    made = world("binary", (2000, 300, 2000))
    written = evaluate(trained(made, {"kind": "linear"}), made.parts, QUICK, 7).to_dict()
    assert written["comparison"]["linear"]["log_loss"]["difference"] == pytest.approx(0, abs=0.01)
    assert written["test"]["roc_auc"]["value"] == pytest.approx(
        written["baselines"]["linear"]["roc_auc"]["value"], abs=0.02
    )
