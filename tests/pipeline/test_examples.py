"""The examples are the same repository with only params.yaml and the suite changed."""

import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "metric"), [("diamonds", "rmse"), ("flights", "log_loss")])
def test_an_example_runs_and_beats_its_baselines(snapshots: Any, tmp_path: Path, name: str, metric: str) -> None:
    project = snapshots["start"].copy(tmp_path / "project")
    shutil.copy(ROOT / f"examples/{name}/params.yaml", project.root / "params.yaml")
    result = project.repro()
    assert result.returncode == 0, result.stdout
    metrics = project.json("metrics.json")
    for name in ("dummy", "linear"):
        assert metrics["test"][metric]["value"] < metrics["baselines"][name][metric]["value"]
    assert metrics["comparison"]["boosting"][metric]["finding"] != "worse"
    checks = project.json("reports/split.json")["leakage"]
    assert checks
    assert all(check["passed"] for check in checks)


def test_there_are_examples() -> None:
    assert sorted(path.parent.name for path in ROOT.glob("examples/*/params.yaml")) == ["diamonds", "flights"]
