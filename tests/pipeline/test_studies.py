"""Ablation and learning curve of a finished project: by command, and in the report."""

import json
import sys
from typing import Any

import pytest
from mlflow import MlflowClient

pytestmark = pytest.mark.slow


def metrics(project: Any) -> dict[str, float]:
    client = MlflowClient(f"sqlite:///{project.root}/mlflow.db")
    run = client.get_run(project.json("run.json")["run_id"])
    assert run.info.status == "FINISHED"
    return dict(run.data.metrics)


def test_the_commands_write_a_page_and_tell_the_run_of_the_model(project: Any) -> None:
    for name, stem, table in (("ablate", "ablation", "worth"), ("learning-curve", "learning_curve", "curve")):
        result = project.run(sys.executable, "-m", "goodfit", name, "--seeds", "2", "--json")
        assert result.returncode == 0, result.stdout
        figures = json.loads(result.stdout.splitlines()[-1])["figures"]
        assert figures
        assert "<svg" in (project.root / f"reports/{stem}.html").read_text()
        assert (project.root / f"reports/{stem}/{stem}_{table}.csv").exists()
        assert (project.root / f"reports/{stem}/{stem}_1.svg").exists()
        assert {f"{stem}/{figure}" for figure in figures} <= set(metrics(project))
    assert {"dropout", "batch_norm", "early_stopping", "all_of_them"} <= {
        name.partition("/")[2] for name in metrics(project) if name.startswith("ablation/")
    }
    result = project.repro()
    assert "Running stage 'evaluate'" not in result.stdout, "a study changes no output of a stage"


def test_evaluate_puts_them_into_the_report_and_trains_no_other_model(project: Any) -> None:
    weights = project.weights()
    old = "evaluate: {bootstrap"
    project.edit("params.yaml", old, "evaluate: {ablation: {enabled: true, seeds: 2}, learning_curve: true, bootstrap")
    result = project.repro()
    assert result.returncode == 0, result.stdout
    ran = [line.split("'")[1] for line in result.stdout.splitlines() if line.startswith("Running stage '")]
    assert ran == ["evaluate", "record"]
    assert project.weights() == weights
    page = (project.root / "reports/report.html").read_text()
    assert "What each regularizer is worth" in page
    assert "Would more data help?" in page
    assert (project.root / "reports/evaluation/ablation_worth.csv").exists()
    inspections = project.json("metrics.json")["inspections"]
    assert {f"ablation/{name}" for name in inspections["ablation"]} <= set(metrics(project))
    assert "learning_curve/last_gain" in metrics(project)
    assert not any(name.startswith("test/dropout") for name in metrics(project)), "they are of valid rows"
