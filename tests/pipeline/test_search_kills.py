"""A search of forty trials, killed again and again, and two searches that share a tracking database."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

TRIALS, KILLS = 40, 50


def searching(project: Any, **environment: str) -> "subprocess.Popen[str]":
    return project.start(sys.executable, "pipeline/tune.py", **environment)  # type: ignore[no-any-return]


def of_forty_trials(project: Any, seed: int = 7) -> Any:
    project.edit("params.yaml", "trials: 3\n  batch: 2", f"trials: {TRIALS}\n  batch: 8")
    project.edit("params.yaml", "seed: 7", f"seed: {seed}")
    (project.root / "artifacts").mkdir(exist_ok=True)
    return project


def trials(project: Any) -> list[list[str]]:
    """Return trials.csv without the time each trial took."""
    rows = [line.split(",") for line in (project.root / "reports/trials.csv").read_text().splitlines()]
    seconds = rows[0].index("duration_s")
    return [row[:seconds] + row[seconds + 1 :] for row in rows]


def tracked(uri: str) -> dict[str, tuple[str, str, str, tuple[float, ...]]]:
    """Return trial number to parent, state, value and curve, as MLflow has them; each once, none running."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.`goodfit.kind` = 'trial'", max_results=1000)
    assert {run.info.status for run in runs} <= {"FINISHED", "FAILED"}
    found = {}
    for run in runs:
        tags = run.data.tags
        curve = tuple(point.value for point in client.get_metric_history(run.info.run_id, "valid/loss"))
        key = f"{tags['mlflow.parentRunId']}/{tags['goodfit.trial']}"
        assert key not in found, "no trial is doubled"
        found[key] = (tags["goodfit.trial"], tags["goodfit.trial_state"], str(run.data.metrics.get("objective")), curve)
    return found


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_fifty_kills_of_a_search_change_nothing(snapshots: Any, tmp_path: Path) -> None:
    undisturbed = of_forty_trials(snapshots["split"].copy(tmp_path / "undisturbed"))
    began = time.monotonic()
    process = searching(undisturbed)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    takes = time.monotonic() - began
    expected = trials(undisturbed)
    assert len(expected) == TRIALS + 1
    of_trials = sorted(tracked(f"sqlite:///{undisturbed.root}/mlflow.db").values())
    chance, kills, searches = random.Random(3), 0, 0
    while kills < KILLS:
        project = of_forty_trials(snapshots["split"].copy(tmp_path / f"search-{searches}"))
        process = searching(project)
        while process.returncode is None and kills < KILLS:
            try:
                process.wait(timeout=chance.uniform(0.2, takes))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                kills += 1
                process = searching(project)
        said, _ = process.communicate()
        assert process.returncode == 0, said
        assert trials(project) == expected
        best = "artifacts/best.yaml"
        assert (project.root / best).read_bytes() == (undisturbed.root / best).read_bytes()
        assert sorted(tracked(f"sqlite:///{project.root}/mlflow.db").values()) == of_trials
        searches += 1
    assert (kills, len(of_trials)) == (KILLS, TRIALS)


@pytest.mark.faults
def test_two_searches_at_once_share_a_database(snapshots: Any, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/shared.db"
    projects = [of_forty_trials(snapshots["split"].copy(tmp_path / f"w{seed}"), seed=seed) for seed in (1, 2)]
    processes = [searching(project, MLFLOW_TRACKING_URI=uri) for project in projects]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert not [text for text in said if "locked" in text or "spooled" in text], said
    parents = Counter(key.split("/")[0] for key in tracked(uri))
    assert sorted(parents.values()) == [TRIALS, TRIALS]
