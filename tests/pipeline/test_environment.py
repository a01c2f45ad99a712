"""Odd machines and wrong settings, through the real stages: the contract's exit code, one line, nothing changed."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch


def stage(project: Any, name: str, limit: Callable[[], None] | None = None, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, f"pipeline/{name}.py"], cwd=project.root, env=project.environment | environment,
        capture_output=True, text=True, check=False, timeout=60, preexec_fn=limit, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "Traceback (most recent call last)" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.faults
def test_a_hostile_environment_changes_no_bit(snapshots: Any, tmp_path: Path) -> None:
    """E3 to E7, E14 to E17: TMPDIR, HOME, locale, time zone, hash seed, threads, path, stdin, settings, umask."""
    project = snapshots["tune"].copy(tmp_path / "a folder, with 'quotes' and ünïcode")
    odd = {
        "TMPDIR": str(tmp_path / "missing"), "LANG": "C", "LC_ALL": "C", "TZ": "Pacific/Kiritimati",
        "PYTHONHASHSEED": "1",
        "OMP_NUM_THREADS": "abc", "PL_GLOBAL_SEED": "abc", "PL_TRAINER_MAX_EPOCHS": "1", "MLFLOW_RUN_ID": "0" * 32,
        "MLFLOW_EXPERIMENT_NAME": "another", "COLUMNS": "3",
    }  # fmt: skip
    environment = {name: value for name, value in (project.environment | odd).items() if name != "HOME"}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"], cwd=project.root, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, preexec_fn=lambda: os.umask(0o077) and None,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.weights() == snapshots["record"].weights()
    assert project.json("metrics.json") == snapshots["record"].json("metrics.json")


def address_space() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


def file_size() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 12, 1 << 12))


@pytest.mark.parametrize(
    ("name", "limit", "code", "message"),
    [("train", address_space, 4, "limited to 1.0 GiB"), ("split", file_size, 5, "File too large")],
    ids=["E9 address space", "E10 file size"],
)
def test_a_limit_of_the_machine_ends_a_stage_cleanly(
    snapshots: Any, tmp_path: Path, name: str, limit: Callable[[], None], code: int, message: str
) -> None:
    project = snapshots["tune" if name == "train" else "split"].copy(tmp_path / "project")
    found, said = stage(project, name, limit)
    assert (found, message in said) == (code, True), said
    assert not (project.root / f".goodfit/manifests/{name}.json").exists()


WRONG = {
    "P14 batch size": ("tune", "batch_size: 32", "batch_size: 100000", 2, "training.batch_size"),
    "P10 nan": ("tune", "epochs: 3", "epochs: .nan", 2, "training.epochs"),
    "P13 zero": ("tune", "epochs: 3", "epochs: 0", 2, "training.epochs"),
    "P15 huge": ("tune", "batch_size: 32", "batch_size: 100000000000000000000000", 2, "training.batch_size"),
    "P16 range": ("tune", "{low: 8, high: 32}", "{low: 32, high: 8}", 2, "tune.space.model.width"),
    "P17 log": ("tune", "{low: 8, high: 32}", "{low: 0, high: 8, log: true}", 2, "tune.space.model.width"),
    "P19 choices": ("tune", "{low: 8, high: 32}", "{choices: []}", 2, "tune.space.model.width"),
    "P22 fractions": ("split", "kind: stratified", "kind: stratified, train: 0.9", 2, "split"),
    "P23 target": ("split", "target: churn", "target: chrun", 2, "Did you mean 'churn'"),
    "P24 two roles": ("split", "id: [rownames]", "id: [rownames, churn]", 2, "already is"),
    "P25 twice": ("split", "id: [rownames]", "id: [rownames, rownames]", 2, "already is"),
    "P26 path": ("ingest", "input/rows.csv", "../../etc/passwd", 2, "source.path"),
    "P34 metric": ("evaluate", "resamples: 100}", "resamples: 100}, metrics: [acuracy]", 2, "Did you mean 'accuracy'"),
    "P35 name": ("evaluate", "model_name: small", "model_name: a/b", 2, "tracking.model_name"),
    "E18 cuda": ("tune", "batch_size: 32", "batch_size: 32, device: cuda", 4, "cuda"),
    "regularizer without a hold": ("tune", "kind: mlp, layers: 1, width: 16", "kind: linear", 2, ""),
    "missing file": ("ingest", "input/rows.csv", "input/rowss.csv", 2, "input/rowss.csv"),
}


PER_COMMIT = {
    "P10 nan",
    "P16 range",
    "P22 fractions",
    "P23 target",
    "P26 path",
    "P34 metric",
    "E18 cuda",
    "missing file",
}
"""One for each way in which a stage refuses; what all sections refuse, tests/config tries without a process."""


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[] if case in PER_COMMIT else pytest.mark.faults) for case in WRONG]
)
def test_a_wrong_setting_is_refused_by_its_stage(snapshots: Any, tmp_path: Path, case: str) -> None:
    name, old, new, code, message = WRONG[case]
    if case == "E18 cuda" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    stop = {"ingest": "start", "split": "split", "tune": "split", "evaluate": "train"}[name]
    project = snapshots[stop].copy(tmp_path / "project")
    project.edit("params.yaml", old, new)
    done, text = stage(project, name)
    assert (done, message in text) == (code, True), text
    assert not (project.root / f".goodfit/manifests/{name}.json").exists() or code == 2
