"""Killed anywhere, the next `dvc repro` ends as if nothing had happened, without hand work.

The plan's kill points, each with SIGKILL and SIGTERM, on the real graph: `make faults` runs each to the end of the
graph, and the random kills. `make test` runs some of them to the end of the stage that was killed.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import parse_yaml
from mlflow import MlflowClient
from mlflow.entities import Run

POINTS = {
    "K01": ("start", "ingest.half"),
    "K02": ("start", "ingest.written"),
    "K03": ("start", "validate.judged"),
    "K04": ("start", "validate.written"),
    "K05": ("start", "split.between"),
    "K06": ("split", "search.before_study"),
    "K07": ("split", "search.asked:2"),
    "K08": ("split", "track.created:2"),
    "K09": ("split", "training.batch:9"),
    "K10": ("split", "checkpoint.writing:2"),
    "K11": ("split", "checkpoint.written:2"),
    "K12": ("split", "training.epoch:4"),
    "K13": ("split", "search.trial_done:2"),
    "K14": ("split", "search.told:2"),
    "K15": ("split", "track.sent:3"),
    "K16": ("split", "search.all_done"),
    "K17": ("tune", "training.batch:9"),
    "K18": ("tune", "bundle.writing"),
    "K19": ("tune", "track.uploading"),
    "K20": ("tune", "train.before_manifest"),
    "K21": ("train", "evaluate.plots"),
}
PER_COMMIT = {"K05": "split", "K14": "tune"}
"""These run with every `make test`, with SIGKILL, to the end of that stage, and K22 below. Others do so with less
around them: K01 and K02 in tests/sources, K07 and K13 in tests/tuning, K08 and K15 in tests/tracking, K09 to K12 in
tests/training, K23 and K24 in tests/graph."""
OUTPUTS = {
    "split": ("data/train.parquet", "data/valid.parquet", "data/test.parquet", "reports/split.json"),
    "tune": ("artifacts/best.yaml", "reports/trial_curves.csv"),
    "train": ("models/candidate/weights.safetensors", "models/candidate/bundle.json"),
}
CASES = [(point, name) for point in POINTS for name in ("KILL", "TERM")] + [
    ("K09", "INT"),
    ("K13", "INT"),
    ("K17", "INT"),
]


def assert_as_undisturbed(project: Any, undisturbed: Any) -> None:
    """Same figures, weights and trials; no run left RUNNING, none doubled; stores sound; no litter."""
    assert project.json("metrics.json") == undisturbed.json("metrics.json")
    assert project.weights() == undisturbed.weights()
    assert (project.root / "artifacts/best.yaml").read_text() == (undisturbed.root / "artifacts/best.yaml").read_text()
    assert trial_rows(project) == trial_rows(undisturbed)
    found = runs(project)
    assert {run.info.status for run in found} == {"FINISHED"}
    kinds = [run.data.tags["goodfit.kind"] for run in found]
    assert (kinds.count("candidate"), kinds.count("trial")) == (1, 3)
    parse_yaml((project.root / "dvc.lock").read_text(), "dvc.lock")
    assert litter(project) == []


def runs(project: Any) -> list[Run]:
    client = MlflowClient(f"sqlite:///{project.root}/mlflow.db")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def litter(project: Any) -> list[Path]:
    folders = ("data", "reports", "models", "artifacts", ".goodfit")
    return [path for folder in folders for path in (project.root / folder).rglob(".*.tmp")]


def trial_rows(project: Any) -> list[list[str]]:
    """Return trials.csv without the time each trial took."""
    rows = [line.split(",") for line in (project.root / "reports/trials.csv").read_text().splitlines()]
    seconds = rows[0].index("duration_s")
    return [row[:seconds] + row[seconds + 1 :] for row in rows]


@pytest.mark.parametrize("point", PER_COMMIT)
def test_a_killed_stage_is_run_again_as_if_undisturbed(snapshots: Any, tmp_path: Path, point: str) -> None:
    stop, failpoint = POINTS[point]
    stage = PER_COMMIT[point]
    project = snapshots[stop].copy(tmp_path / "project")
    killed = project.repro(stage, GOODFIT_FAILPOINT=f"{failpoint}:KILL")
    assert killed.returncode != 0, f"{failpoint} was never passed:\n{killed.stdout}"
    lock = project.root / "dvc.lock"
    stages = parse_yaml(lock.read_text(), "dvc.lock").get("stages", {}) if lock.exists() else {}
    assert stage not in stages
    again = project.repro(stage)
    assert again.returncode == 0, again.stdout
    for path in OUTPUTS[stage]:
        assert (project.root / path).read_bytes() == (snapshots[stage].root / path).read_bytes(), path
    assert litter(project) == []
    if stage != "split":
        assert trial_rows(project) == trial_rows(snapshots[stage])
        trials = [run for run in runs(project) if run.data.tags["goodfit.kind"] == "trial"]
        assert [run.info.status for run in trials] == ["FINISHED"] * 3


@pytest.mark.faults
@pytest.mark.parametrize(("point", "name"), CASES)
def test_a_kill_at_every_point_of_the_plan(snapshots: Any, tmp_path: Path, point: str, name: str) -> None:
    stop, failpoint = POINTS[point]
    project = snapshots[stop].copy(tmp_path / "project")
    killed = project.repro(GOODFIT_FAILPOINT=f"{failpoint}:{name}")
    assert killed.returncode != 0, f"{failpoint} was never passed:\n{killed.stdout}"
    assert "Traceback (most recent call last)" not in killed.stdout
    lock = project.root / "dvc.lock"
    stages = parse_yaml(lock.read_text(), "dvc.lock").get("stages", {}) if lock.exists() else {}
    assert "evaluate" not in stages
    again = project.repro()
    assert again.returncode == 0, again.stdout
    assert_as_undisturbed(project, snapshots["record"])


BREAK_DVC = """
import os, signal, sys
import dvc.dvcfile, dvc.output
from dvc.cli import main

def killing(function, passage):
    count = 0
    def wrapped(*arguments, **options):
        nonlocal count
        count += 1
        if count == passage:
            {before}
            os.killpg(0, signal.SIGKILL)
        return function(*arguments, **options)
    return wrapped

{patch}
sys.exit(main(["repro", "tune"]))
"""


@pytest.mark.parametrize(
    ("patch", "before"),
    [
        pytest.param("dvc.output.Output.commit = killing(dvc.output.Output.commit, 2)", "pass"),
        pytest.param("dvc.dvcfile.Lockfile.dump_stages = killing(dvc.dvcfile.Lockfile.dump_stages, 1)",
                     "text = open('dvc.lock').read(); open('dvc.lock', 'w').write(text[: len(text) // 2])",
                     marks=pytest.mark.faults),
    ],
    ids=["K22", "K23"],
)  # fmt: skip
def test_dvc_itself_killed_while_it_commits(snapshots: Any, tmp_path: Path, patch: str, before: str) -> None:
    project = snapshots["split"].copy(tmp_path / "project")
    project.edit("params.yaml", "trials: 3", "trials: 0")
    killed = project.run(sys.executable, "-c", BREAK_DVC.format(patch=patch, before=before))
    assert killed.returncode == -signal.SIGKILL
    again = project.run("goodfit", "repro", "tune")
    assert again.returncode == 0, again.stdout
    parse_yaml((project.root / "dvc.lock").read_text(), "dvc.lock")
    status = project.run(sys.executable, "-m", "dvc", "status", "tune")
    assert "up to date" in status.stdout, status.stdout


@pytest.mark.parametrize(("point", "whom", "number"), [
    pytest.param("K24", "dvc", signal.SIGKILL, marks=pytest.mark.faults),
    pytest.param("K25", "stage", signal.SIGKILL, marks=pytest.mark.faults),
    pytest.param("K26", "stage", signal.SIGTERM, marks=pytest.mark.faults),
])  # fmt: skip
def test_only_one_of_the_two_processes_killed(
    snapshots: Any, tmp_path: Path, point: str, whom: str, number: signal.Signals
) -> None:
    project = snapshots["tune"].copy(tmp_path / "project")
    process = project.start(sys.executable, "-m", "dvc", "repro", "train")
    child = trainer_of(project)
    os.kill(process.pid if whom == "dvc" else child, number)
    process.communicate(timeout=60)
    assert process.returncode != 0
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{child}").exists()
    again = project.repro("train")
    assert again.returncode == 0, again.stdout
    assert project.weights() == snapshots["record"].weights()
    assert litter(project) == []


def trainer_of(project: Any) -> int:
    """Wait until the train stage has written its lease, and return its process id."""
    lease = project.root / ".goodfit/lease"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        name, _, owner = lease.read_text().partition("\n") if lease.exists() else ("", "", "")
        if name == "train" and '"pid": ' in owner:
            pid = int(owner.split('"pid": ')[1].split(",")[0])
            if Path(f"/proc/{pid}").exists():
                return pid
        time.sleep(0.05)
    raise AssertionError("the train stage never started")


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_thirty_kills_at_random_moments(snapshots: Any, tmp_path: Path) -> None:
    """kill -9 of the whole process group, each followed by one undisturbed `dvc repro`."""
    chance = random.Random(2026)
    begun = time.monotonic()
    whole = snapshots["start"].copy(tmp_path / "timed")
    assert whole.repro().returncode == 0
    takes = time.monotonic() - begun
    survived = 0
    for number in range(30):
        project = snapshots["start"].copy(tmp_path / f"project-{number}")
        process = project.start(sys.executable, "-m", "dvc", "repro")
        time.sleep(chance.uniform(0.3, takes))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        again = project.repro()
        assert again.returncode == 0, f"kill {number}:\n{again.stdout}"
        assert_as_undisturbed(project, snapshots["record"])
        survived += 1
    assert survived == 30


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_at_random_moments(snapshots: Any, tmp_path: Path, number: signal.Signals) -> None:
    chance = random.Random(int(number))
    for attempt in range(8):
        project = snapshots["start"].copy(tmp_path / f"project-{attempt}")
        process = project.start(sys.executable, "-m", "dvc", "repro")
        time.sleep(chance.uniform(1, 25))
        os.killpg(process.pid, number)
        process.communicate(timeout=60)
        again = project.repro()
        assert again.returncode == 0, again.stdout
        assert_as_undisturbed(project, snapshots["record"])
    assert attempt == 7
