"""The validate stage as DVC runs it: a process of its own, judged by its exit code and by what it leaves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[2] / "pipeline" / "validate.py"
GRAPH = """
stages:
  validate:
    cmd: python pipeline/validate.py
    deps: [data/raw.parquet, suite.yaml]
    params: [schema, validate, tracking]
    outs: [data/quarantine.parquet, reports/validation.json, reports/validation]
"""
PARAMS = """
schema: {target: y}
validate: {suite: suite.yaml}
tracking: {experiment: test, model_name: test}
"""
SUITE = (
    "expectations:\n  - {expectation: expect_column_values_to_be_between, column: age, min_value: 0, max_value: 120}\n"
)
REPORTS = ("reports/validation.json", "reports/validation/index.html", "data/quarantine.parquet")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "suite.yaml").write_text(SUITE)
    write_ages(tmp_path, 40)
    return tmp_path


def write_ages(workspace: Path, first: int) -> None:
    pd.DataFrame({"age": [first, 20, 30], "y": [0, 1, 0]}).to_parquet(workspace / "data/raw.parquet")


def run(workspace: Path, **extra: str) -> "subprocess.CompletedProcess[str]":
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("GOODFIT", "MLFLOW"))}
    environment = clean | {"GOODFIT_TEST": "1"} | extra
    return subprocess.run(
        [sys.executable, str(SCRIPT)], cwd=workspace, env=environment, capture_output=True, text=True, timeout=60
    )


def test_a_bad_suite_ends_the_stage_before_data_are_read(workspace: Path) -> None:
    (workspace / "suite.yaml").write_text(SUITE.replace("min_value", "min_valeu"))
    (workspace / "data/raw.parquet").write_text("not Parquet")
    done = run(workspace)
    assert done.returncode == 2 and "Did you mean 'min_value'?" in done.stderr and "Traceback" not in done.stderr


def test_a_refusal_leaves_its_reports_and_no_manifest(workspace: Path) -> None:
    write_ages(workspace, -1)
    done = run(workspace)
    assert done.returncode == 6 and "(age) failed in 1 rows: [-1]" in done.stderr and "Traceback" not in done.stderr
    assert json.loads((workspace / "reports/validation.json").read_text())["success"] is False
    assert (workspace / ".goodfit/reports/validation-failed.json").exists()
    assert not (workspace / ".goodfit/manifests/validate.json").exists()


@pytest.mark.faults
@pytest.mark.parametrize("signal_name", ["KILL", "TERM"])
@pytest.mark.parametrize("point", ["validate.judged", "validate.written", "validate.before_manifest"])
def test_k03_k04_a_killed_validation_is_no_pass_and_the_next_gives_the_same_verdict(
    point: str, signal_name: str, workspace: Path
) -> None:
    killed = run(workspace, GOODFIT_FAILPOINT=f"{point}:{signal_name}")
    assert killed.returncode == {"KILL": -9, "TERM": 143}[signal_name]
    assert not (workspace / ".goodfit/manifests/validate.json").exists()
    assert run(workspace).returncode == 0
    found = [(workspace / name).read_bytes() for name in REPORTS]
    assert run(workspace).returncode == 0
    assert found == [(workspace / name).read_bytes() for name in REPORTS]
    assert not list(workspace.rglob("*.tmp"))
