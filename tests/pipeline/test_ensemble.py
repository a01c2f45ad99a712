"""`train.ensemble` through the real stages: one bundle, one run, and what it gained over its best model."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.bundle import load_bundle
from goodfit.files import read_json, write_json


def test_without_a_search_an_ensemble_is_chosen_among_seeds(snapshots: Any, tmp_path: Any) -> None:
    project = snapshots["tune"].copy(tmp_path / "project")
    (project.root / "artifacts/leaders.json").write_text('{"leaders": []}')
    project.edit("params.yaml", "train: {}", "train: {ensemble: 3}")
    result = project.run("python", "pipeline/train.py")
    assert result.returncode == 0, result.stdout
    assert (
        "train: 0 other settings of the search and the best ones from 8 other seeds, for an ensemble" in result.stdout
    )


@pytest.mark.slow
def test_an_ensemble_is_one_model_and_its_gain_is_told(project: Any) -> None:
    leaders = read_json(project.root / "artifacts/leaders.json")["leaders"]
    for trial, rate in enumerate((0.005, 0.01, 0.02, 0.03), 100):  # three small trials are no library
        settings = {"training.optimizer.kind": "adamw", "training.optimizer.lr": rate, "model.width": 32}
        leaders.append({"trial": trial, "value": 1.0, "eligible": True, "overrides": settings})
    write_json(project.root / "artifacts/leaders.json", {"leaders": leaders})
    project.edit("params.yaml", "train: {}", "train: {ensemble: 5}")
    for stage in ("train", "evaluate"):
        result = project.run("python", f"pipeline/{stage}.py")
        assert result.returncode == 0, result.stdout
    bundle = load_bundle(project.root / "models/candidate")
    found = project.json("metrics.json")["inspections"]["ensemble"]
    assert found["models"] == len(bundle.parts) >= 2
    assert found["votes"] <= 5
    assert found["difference_low"] <= found["difference"] <= found["difference_high"]
    assert "Ensemble" in (project.root / "reports/report.html").read_text()
    assert read_json(project.root / "run.json")["params"]["train.ensemble"] == 5
    rows = pd.read_parquet(project.root / "data/test.parquet")
    alone = bundle.best_part
    assert not alone.parts
    assert not np.allclose(alone.predict(rows), bundle.predict(rows))
