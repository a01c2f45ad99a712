"""The stage: what it reads and writes, its exit codes, and a kill between two of its files."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goodfit.data import read_table
from goodfit.data.quarantine import write_quarantine
from goodfit.stage.manifest import read_manifest

SCRIPT = Path(__file__).parents[2] / "pipeline" / "split.py"
OUTPUTS = ("data/train.parquet", "data/valid.parquet", "data/test.parquet", "reports/split.json")
GRAPH = f"""
stages:
  split:
    cmd: python pipeline/split.py
    deps: [data/raw.parquet, data/quarantine.parquet]
    params: [seed, schema, split]
    outs: [{", ".join(OUTPUTS)}]
"""
PARAMS = """
seed: 3
schema: {target: y, id: [key]}
split: {kind: stratified}
"""


@pytest.fixture
def workspace(tmp_path: Path, rows: pd.DataFrame) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    (tmp_path / "params.yaml").write_text(PARAMS)
    pq.write_table(pa.Table.from_pandas(rows[["key", "size", "color", "y"]]), tmp_path / "data/raw.parquet")
    write_quarantine(tmp_path / "data/quarantine.parquet", rows, [0, 7], ["size", "size"])
    return tmp_path


def run(root: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GOODFIT")}
    return subprocess.run(
        [sys.executable, str(SCRIPT)], cwd=root, env=clean | environment, capture_output=True, text=True, timeout=60
    )


def report(root: Path, folder: str = "reports") -> Any:
    return json.loads((root / folder / "split.json").read_text())


def test_the_stage_writes_three_tables_and_a_report(workspace: Path, rows: pd.DataFrame) -> None:
    done = run(workspace)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "split: target 'y' (multiclass: maybe, no, yes), 2 features (1 numeric, 1 categorical)"
    )
    tables = [read_table(workspace / path) for path in OUTPUTS[:3]]
    keys = sorted(np.concatenate([table.frame["key"] for table in tables]))
    assert keys == sorted(rows["key"].drop([0, 7]))
    assert tables[0].schema == tables[2].schema and tables[0].schema.target.name == "y"
    assert report(workspace)["rows"] == dict(zip(("train", "valid", "test"), map(len, tables), strict=True))
    assert {entry["name"] for entry in report(workspace)["leakage"]} >= {"duplicates", "groups", "time", "target_copy"}

    first = [(workspace / path).read_bytes() for path in OUTPUTS]
    assert run(workspace).returncode == 0
    assert [(workspace / path).read_bytes() for path in OUTPUTS] == first


def test_a_leak_stops_the_stage_after_its_report_is_written(workspace: Path, rows: pd.DataFrame) -> None:
    leaky = rows[["key", "size", "color", "y"]].assign(code=rows["y"].str.upper(), same=1)
    pq.write_table(pa.Table.from_pandas(leaky), workspace / "data/raw.parquet")
    done = run(workspace)
    assert done.returncode == 6
    assert "leak check 'target_copy': the target 'y' is reproduced by 'code'. List what" in done.stderr
    assert "warning: leak check 'constant': 'same'" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    for folder in ("reports", ".goodfit/reports"):
        failed = [entry["name"] for entry in report(workspace, folder)["leakage"] if not entry["passed"]]
        assert failed == ["target_copy", "constant"]
    assert not any((workspace / path).exists() for path in OUTPUTS[:3])
    assert read_manifest(workspace, "split") is None


@pytest.mark.parametrize(
    ("edit", "code", "says"),
    [
        (("stratified", "stratfied"), 2, "split.kind: unknown kind"),
        (("kind: stratified", "kind: random, train: 0.9"), 2, "must sum to 1"),
        (("target: y", "target: z"), 2, "the data have no column 'z'"),
        (("kind: stratified", "kind: group"), 2, "schema.group"),
    ],
)
def test_what_is_wrong_has_its_exit_code_and_one_message(
    edit: tuple[str, str], code: int, says: str, workspace: Path
) -> None:
    (workspace / "params.yaml").write_text(PARAMS.replace(*edit))
    done = run(workspace)
    assert done.returncode == code
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not any((workspace / path).exists() for path in OUTPUTS)


def test_a_kill_between_two_files_leaves_no_pair_that_anything_accepts(workspace: Path) -> None:
    whole = run(workspace)
    assert whole.returncode == 0
    good = [(workspace / path).read_bytes() for path in OUTPUTS]
    (workspace / "params.yaml").write_text(PARAMS.replace("seed: 3", "seed: 4"))
    killed = run(workspace, GOODFIT_TEST="1", GOODFIT_FAILPOINT="split.between:KILL")
    assert killed.returncode == -9
    left = [path for path in OUTPUTS[:3] if (workspace / path).exists()]
    assert OUTPUTS[2] in left
    assert all((workspace / path).read_bytes() not in good for path in left)  # nothing of seed 3 is among them
    assert read_manifest(workspace, "split") is None
    (workspace / "params.yaml").write_text(PARAMS)
    assert run(workspace).returncode == 0
    assert [(workspace / path).read_bytes() for path in OUTPUTS] == good


def test_a_termination_between_two_files_has_its_exit_code(workspace: Path) -> None:
    done = run(workspace, GOODFIT_TEST="1", GOODFIT_FAILPOINT="split.between:2:TERM")
    assert done.returncode == 143
    assert read_manifest(workspace, "split") is None
    assert not list(workspace.rglob("*.tmp"))
