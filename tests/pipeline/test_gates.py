"""A failed gate: exit 6 after everything is written and logged, and nothing passes for up to date."""

import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

GATED = """evaluate:
  bootstrap: {resamples: 100}
  mistakes: {enabled: false}
  gates: [{kind: metric, name: log_loss, max: %s}, {kind: gap, max: 9}]"""
UNGATED = "evaluate: {bootstrap: {resamples: 100}, mistakes: {enabled: false}}"


def candidate(project: Any) -> Run:
    client = MlflowClient(f"sqlite:///{project.root}/mlflow.db")
    return client.get_run(project.json("run.json")["run_id"])


def goodfit(project: Any, *arguments: str) -> Any:
    return project.run(sys.executable, "-c", "from goodfit.cli import main; main()", *arguments)


def test_a_failed_gate_exits_six_after_everything_is_written_and_a_mended_one_passes(project: Any) -> None:
    before = project.json("metrics.json")
    project.edit("params.yaml", UNGATED, GATED % 0.0001)
    result = goodfit(project, "repro")
    assert result.returncode == 6, result.stdout
    assert "params.yaml: evaluate.gates.0: not passed: asked log_loss on test at most 0.0001" in result.stdout
    assert "evaluate.gates.1" not in result.stdout
    assert project.json("metrics.json") == before
    page = (project.root / "reports/report.html").read_text()
    assert "Do not ship." in page
    assert "Gate failed: log_loss on test at most 0.0001" in page
    run = candidate(project)
    assert run.info.status == "FAILED"
    assert run.data.tags["goodfit.gates"].startswith("failed: log_loss on test at most 0.0001; found 0.")
    assert run.data.metrics["test/log_loss"] == pytest.approx(before["test"]["log_loss"]["value"])
    outcomes = project.json("reports/evaluation/gates.json")
    assert [outcome["passed"] for outcome in outcomes] == [False, True]
    status = project.run(sys.executable, "-m", "dvc", "status", "evaluate").stdout
    assert "evaluate:" in status, "a failed gate does not pass for up to date"
    project.edit("params.yaml", "max: 0.0001", "max: 9")
    passed = goodfit(project, "repro", "evaluate")
    assert passed.returncode == 0, passed.stdout
    run = candidate(project)
    assert (run.info.status, run.data.tags["goodfit.gates"]) == ("FINISHED", "passed")


def test_bad_gates_and_unfit_metrics_are_refused_before_anything_runs(project: Any) -> None:
    bad = "evaluate: {metrics: [rmse], gates: [{kind: baseline, name: nobody}]}"
    project.edit("params.yaml", UNGATED, bad)
    project.edit("params.yaml", "schema: {target: churn, id: [rownames]}", "schema: {target: churn, task: binary}")
    result = goodfit(project, "repro")  # which says what `goodfit check` says
    assert result.returncode == 2, result.stdout
    assert "does not fit the task binary" in result.stdout
    assert "params.yaml: evaluate.gates.0.name" in result.stdout
    assert "Running stage" not in result.stdout


def test_costs_figures_and_pictures_are_in_the_tracker(undisturbed: Any) -> None:
    run = candidate(undisturbed)
    assert run.data.metrics["cost/latency_row_median_ms"] > 0
    assert run.data.metrics["test/needed_columns"] >= 0
    client = MlflowClient(f"sqlite:///{undisturbed.root}/mlflow.db")
    names = {Path(item.path).name for item in client.list_artifacts(run.info.run_id, "reports/evaluation")}
    assert {"explanations_importance.csv", "explanations_1.svg", "roc.csv"} <= names


@pytest.mark.slow
def test_two_runs_are_compared_on_one_page(project: Any) -> None:
    run = project.json("run.json")["run_id"]
    result = goodfit(project, "compare", run, "models/candidate")
    assert result.returncode == 0, result.stdout
    assert "No difference is shown by log_loss." in result.stdout
    assert "They answer alike on every row: it may be one model." in result.stdout
    assert "first minus second" in (project.root / "reports/compare.html").read_text()
    unknown = goodfit(project, "compare", "0" * 32, "models/candidate")
    assert unknown.returncode == 2
    assert "is not in the tracking store" in unknown.stdout


@pytest.mark.slow
def test_a_row_is_explained(project: Any) -> None:
    result = goodfit(project, "explain", "--row", "2")
    assert result.returncode == 0, result.stdout
    assert "log odds of Yes" in result.stdout
    refused = goodfit(project, "explain", "--row", "99999")
    assert refused.returncode == 2
    assert "numbered from 0 to" in refused.stdout
