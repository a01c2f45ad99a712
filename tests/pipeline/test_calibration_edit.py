"""An edit of what is fitted on valid rows makes another model of the same weights, without training."""

from typing import Any

import pytest
from mlflow import MlflowClient


def ran(output: str) -> list[str]:
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]


def current(project: Any) -> list[str]:
    client = MlflowClient(f"sqlite:///{project.root}/mlflow.db")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    return [
        run.info.run_id for run in client.search_runs([experiment.experiment_id], "tags.`goodfit.current` = 'true'")
    ]


def test_another_threshold_does_not_train_again_and_flipped_back_the_old_run_is_current(project: Any) -> None:
    before, weights = project.json("run.json"), project.weights()
    assert project.json("models/candidate/bundle.json")["threshold"] == 0.5
    project.edit("params.yaml", "calibration: {}", "calibration: {threshold: {kind: recall, target: 0.9}}")
    result = project.repro(GOODFIT_FAILPOINT="training.batch:KILL")  # whoever trains dies
    assert result.returncode == 0, result.stdout
    assert ran(result.stdout) == ["train", "evaluate", "record"]
    assert project.weights() == weights
    bundle, record = project.json("models/candidate/bundle.json"), project.json("run.json")
    assert bundle["threshold"] != 0.5
    assert bundle["rule"]["reached"]
    assert record["params"]["calibration.threshold.kind"] == "recall"
    assert record["run_id"] != before["run_id"], "another model, another run"
    assert record["figures"] | {"cost/peak_rss_mb": 0} == before["figures"] | {"cost/peak_rss_mb": 0}
    found = project.json("metrics.json")["inspections"]["threshold"]
    assert found["threshold"] == bundle["threshold"]
    assert found["recall_low"] <= found["recall"] <= found["recall_high"]
    assert project.json("metrics.json")["inspections"]["calibration"]["temperature"] == bundle["temperature"]
    assert current(project) == [record["run_id"]]
    project.edit("params.yaml", "calibration: {threshold: {kind: recall, target: 0.9}}", "calibration: {}")
    result = project.repro()
    assert result.returncode == 0, result.stdout
    assert ran(result.stdout) == ["record"], "DVC restores the rest from its run cache"
    assert current(project) == [before["run_id"]]


@pytest.mark.faults
def test_what_decides_the_weights_does_train_again(project: Any) -> None:
    project.edit("params.yaml", "epochs: 3", "epochs: 2")
    result = project.repro("train", "--single-item", GOODFIT_FAILPOINT="training.batch:KILL")
    assert result.returncode != 0
    states = list((project.root / ".goodfit/state/train").iterdir())
    assert len(states) <= 2
    assert project.repro("train", "--single-item").returncode == 0
    assert len(list((project.root / ".goodfit/state/train").iterdir())) == 1, "checkpoints of other fits are dropped"
