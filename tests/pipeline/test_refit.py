"""With train.refit the whole project trains on train and valid rows at the end, and says so everywhere."""

from typing import Any

import pytest
from mlflow import MlflowClient

pytestmark = pytest.mark.slow


def test_a_refit_trains_again_without_a_search_and_marks_the_valid_rows_as_seen(project: Any) -> None:
    before, weights = project.json("models/candidate/bundle.json"), project.weights()
    assert before["trained_on"] == ["train"]
    assert project.json("metrics.json")["seen"] == ["train"]
    project.edit("params.yaml", "train: {}", "train: {refit: true}")
    result = project.repro()
    assert result.returncode == 0, result.stdout
    ran = [line.split("'")[1] for line in result.stdout.splitlines() if line.startswith("Running stage '")]
    assert ran == ["train", "evaluate", "record"]
    after, record = project.json("models/candidate/bundle.json"), project.json("run.json")
    assert after["trained_on"] == ["train", "valid"]
    assert project.weights() != weights
    assert after["temperature"] == before["temperature"], "of the model that had not seen the valid rows"
    rows = project.json("metrics.json")["rows"]
    assert record["figures"]["refit/rows"] == rows["train"] + rows["valid"]
    assert record["figures"]["refit/epochs"] == record["figures"]["best_epoch"]
    assert record["params"]["train.refit"] is True
    found = project.json("metrics.json")
    assert found["seen"] == ["train", "valid"]
    assert "trained on these rows too" in found["notes"]["valid"]
    assert "valid (seen)" in (project.root / "reports/report.html").read_text()
    assert "refit/loss" in (project.root / "reports/training.csv").read_text().splitlines()[0]
    client = MlflowClient(f"sqlite:///{project.root}/mlflow.db")
    history = client.get_metric_history(record["run_id"], "refit/loss")
    assert [point.step for point in history] == list(range(1, int(record["figures"]["refit/epochs"]) + 1))
    project.edit("params.yaml", "train: {refit: true}", "train: {}")
    assert project.repro().returncode == 0
    assert project.weights() == weights
