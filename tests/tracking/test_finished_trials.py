"""Finished trials are written many at a time: the rows of MLflow's client, each once, whatever happens between."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goodfit.tracking import Tracker, TrackingSection, trials

TABLES = ("runs", "tags", "params", "metrics", "latest_metrics")


def say(tracker: Tracker, parent: Any, number: int) -> None:
    state: Any = ("COMPLETE", "PRUNED", "FAIL")[number % 3]
    tracker.finished_trial(
        parent,
        number,
        state=state,
        params={"model.width": 8 + number, "regularization.dropout.p": 0.0, "model.activation": "tanh"},
        curves={"train/loss": [0.9, 0.5], "valid/loss": [1.0, 0.75 - number]},
        metrics={"objective": 0.75 - number},
        seconds=1.5,
        tags={"goodfit.git_dirty": "false"},
        error="Traceback\nValueError: no rows" if state == "FAIL" else "",
    )


def searched(root: Path, section: TrackingSection, count: int = 3) -> None:
    with Tracker(section, root) as tracker, tracker.candidate("search", search="search") as parent:
        for number in range(count):
            say(tracker, parent, number)


def rows(root: Path, table: str) -> list[dict[str, Any]]:
    """Every row of trials, without what differs between two runs of one: ids, times, owners."""
    with sqlite3.connect(root / "mlflow.db") as connection:
        connection.row_factory = sqlite3.Row
        names = {r["run_uuid"]: r["name"] for r in connection.execute("SELECT run_uuid, name FROM runs")}
        found = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
    trial = [row | {"run_uuid": names[row["run_uuid"]]} for row in found if names[row["run_uuid"]].startswith("trial-")]
    for row in trial:
        for name in ("start_time", "end_time", "timestamp"):
            row[name] = bool(row.get(name))
        if row.get("key") in ("goodfit.owner", "mlflow.parentRunId"):
            row["value"] = bool(row["value"])
        if "artifact_uri" in row:
            row["artifact_uri"] = (row["artifact_uri"].count("/") - str(root).count("/"), row["artifact_uri"][-10:])
    return sorted(trial, key=lambda row: sorted(map(str, row.items())))


def test_the_rows_are_those_of_mlflows_own_client(
    tmp_path: Path, blank_database: Path, section: TrackingSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / "together", tmp_path / "by_client"]
    for folder in folders:
        folder.mkdir()
        (folder / "mlflow.db").write_bytes(blank_database.read_bytes())
        searched(folder, section)
        monkeypatch.setattr(trials, "database_of", lambda client: None)
    for table in TABLES:
        together, by_client = (rows(folder, table) for folder in folders)
        assert together == by_client, table
        assert len(together) >= 3, table


def test_a_failed_trial_keeps_its_traceback_as_an_artifact(root: Path, section: TrackingSection, store: Any) -> None:
    searched(root, section)
    failed = store.run("search-2")
    assert (failed.info.status, failed.data.tags["goodfit.trial_state"]) == ("FAILED", "FAIL")
    folder = root / "mlartifacts" / failed.info.run_id / "artifacts"
    assert (folder / "error.txt").read_text() == "Traceback\nValueError: no rows"
    assert store.curve("search-2", "train/loss") == [(1, 0.9), (2, 0.5)]


def test_trials_that_are_said_again_change_nothing(root: Path, section: TrackingSection, store: Any) -> None:
    searched(root, section, 4)
    before = {table: rows(root, table) for table in TABLES}
    searched(root, section, 6)
    assert len(store.runs("tags.`goodfit.kind` = 'trial'")) == 6
    for table in TABLES:
        after = [row for row in rows(root, table) if row["run_uuid"] < "trial-004"]
        assert after == before[table]


@pytest.mark.parametrize("route", ["together", "by_client"])
def test_a_death_in_the_middle_leaves_neither_half_a_trial_nor_two(
    root: Path, section: TrackingSection, store: Any, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    if route == "by_client":
        monkeypatch.setattr(trials, "database_of", lambda client: None)
    with monkeypatch.context() as patch:
        _die_once(patch, trials)
        searched(root, section)
    Tracker(section, root).sync()
    found = store.runs("tags.`goodfit.kind` = 'trial'")
    assert sorted(run.info.run_name for run in found) == ["trial-000", "trial-001", "trial-002"]
    assert {run.info.status for run in found} == {"FINISHED", "FAILED"}
    assert all(run.data.metrics["objective"] == 0.75 - n for n, run in enumerate(sorted(found, key=_name)))


def _name(run: Any) -> str:
    return str(run.info.run_name)


def _die_once(patch: pytest.MonkeyPatch, module: Any) -> None:
    died: list[str] = []

    def failpoint(name: str) -> None:
        if not died:
            died.append(name)
            raise OSError("gone")

    real: Callable[[str], None] = failpoint
    patch.setattr(module, "failpoint", real)
