"""A real tracking server on loopback, and a proxy before it that loses replies."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from mlflow import MlflowClient

from goodfit.tracking import Outage, Tracker, TrackingSection, model_registry, record

SERVER = """
import os, sys
os.environ["_MLFLOW_SERVER_FILE_STORE"] = f"sqlite:///{sys.argv[1]}/mlflow.db"
os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = "mlflow-artifacts:/"
os.environ["_MLFLOW_SERVER_ARTIFACT_DESTINATION"] = f"{sys.argv[1]}/artifacts"
os.environ["_MLFLOW_SERVER_SERVE_ARTIFACTS"] = "true"
from mlflow.server import app
app.run("127.0.0.1", int(sys.argv[2]), threaded=True)
"""
CALLS = {
    "create experiment": "experiments/create",
    "create run": "runs/create",
    "log batch": "runs/log-batch",
    "set status": "runs/update",
    "create model": "logged-models",
    "put artifact": "mlflow-artifacts/artifacts",
}
DECIDING = {
    "create model": "registered-models/create",
    "create run of notes": "runs/create",
    "create version": "model-versions/create",
    "write note": "runs/log-parameter",
    "set alias": "registered-models/alias",
}
FAULTS = ("refuse", "500", "503", "reset", "hang", "truncate")


class Proxy(threading.Thread):
    """Passes HTTP requests on, except that it spoils the first ones that match.

    Attributes:
        fault: one of FAULTS, or "" for none.
        match: part of the path of the requests to spoil.
        left: how many are still to be spoiled.
        delay: seconds by which every request is held up.
    """

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._target = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.fault, self.match, self.left, self.delay = "", "", 0, 0.0
        self.spoiled = 0

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = _read(connection)
            if not request:
                return
            time.sleep(self.delay)
            path = request.split(b" ", 2)[1].decode()
            fault = self.fault if self.left and self.match in path else ""
            if fault:
                self.left -= 1
                self.spoiled += 1
            connection.sendall(self._answer(fault, request))

    def _answer(self, fault: str, request: bytes) -> bytes:
        if fault in ("500", "503"):
            return f"HTTP/1.1 {fault} Trouble\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        if fault == "refuse":
            return b""
        reply = self._forward(request)  # the server has done it
        if fault == "hang":
            time.sleep(3)
        if fault == "truncate":
            return reply[: reply.index(b"\r\n\r\n") + 4 + 2]
        return b"" if fault in ("reset", "hang") else reply

    def _forward(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            head, _, body = request.partition(b"\r\n\r\n")
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            server.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body)
            return b"".join(iter(lambda: server.recv(1 << 16), b""))


def _read(connection: socket.socket) -> bytes:
    """Return one request with its body, whether that has a length or comes in chunks."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(1 << 16)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    length = int(fields.get(b"content-length", b"0"))
    chunked = fields.get(b"transfer-encoding") == b"chunked"
    while len(body) < length or (chunked and not body.endswith(b"0\r\n\r\n")):
        body += connection.recv(1 << 16)
    return head + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, blank_database: Path) -> Iterator[int]:
    """The port of MLflow's own server application, without the worker processes that take it a quarter of a minute."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "mlflow.db").write_bytes(blank_database.read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
            break
        time.sleep(0.05)
    yield port
    process.kill()
    process.wait()


@pytest.fixture
def proxy(server: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy before the server; retries and timeouts are short, so that the tests are."""
    monkeypatch.setattr("goodfit.tracking.sender.PAUSES", (0.05,))
    monkeypatch.setitem(__import__("goodfit.tracking.store", fromlist=["_SETTINGS"])._SETTINGS, TIMEOUT, "2")
    thread = Proxy(server)
    thread.start()
    yield thread
    with suppress(OSError):
        thread.stop()


TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"


@pytest.fixture
def remote(proxy: Proxy, request: pytest.FixtureRequest) -> TrackingSection:
    """A section that reaches the server through the proxy, with an experiment of its own."""
    uri = f"http://127.0.0.1:{proxy.port}"
    return TrackingSection(experiment=request.node.name, model_name="m", uri=uri)


@pytest.mark.parametrize(
    ("call", "fault"),
    [("create run", "reset"), ("create experiment", "reset"), ("log batch", "truncate"), ("set status", "503")],
)
def test_a_lost_reply_loses_and_doubles_nothing(
    tmp_path: Path, remote: TrackingSection, proxy: Proxy, server: int, call: str, fault: str
) -> None:
    proxy.fault, proxy.match, proxy.left = fault, CALLS[call], 1
    _work(tmp_path, remote)
    assert proxy.spoiled == 1
    _check(server, remote)


@pytest.mark.faults
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_every_call_survives_every_fault(
    tmp_path: Path, remote: TrackingSection, proxy: Proxy, server: int, call: str, fault: str, times: int
) -> None:
    proxy.fault, proxy.match, proxy.left = fault, CALLS[call], times
    _work(tmp_path, remote)
    assert 1 <= proxy.spoiled <= times  # a call that was executed is found, not repeated
    _check(server, remote)


@pytest.mark.parametrize(
    ("call", "fault", "times"),
    [("create version", "reset", 1), ("write note", "reset", 1)]
    + [
        pytest.param(call, fault, times, marks=pytest.mark.faults)
        for call in DECIDING
        for fault in FAULTS
        for times in (1, 3)
        if (call, fault, times) not in (("create version", "reset", 1), ("write note", "reset", 1))
    ],
)
def test_a_promotion_survives_lost_replies_and_is_decided_once(
    tmp_path: Path, remote: TrackingSection, proxy: Proxy, server: int, call: str, fault: str, times: int
) -> None:
    section = remote.model_copy(update={"model_name": f"m-{uuid4().hex}"})
    _work(tmp_path, section)
    client, runs = _runs(server, section)
    run_id = next(run.info.run_id for run in runs if run.data.tags["goodfit.kind"] == "candidate")
    proxy.fault, proxy.match, proxy.left = fault, DECIDING[call], times
    with model_registry(section, tmp_path) as registry:
        for _ in range(2):
            version = registry.versions.register(run_id, "a1", tmp_path / "models", {"goodfit.x": 1})
            assert version.number == 1
        decision = registry.succession.decide(None, "promotion", 1, "the first")
        assert decision is not None and decision.number == 1
        assert registry.succession.decide(None, "promotion", 1, "again") is None
        assert registry.versions.aliases() == {"champion": 1}
    assert 1 <= proxy.spoiled <= times
    kinds = [run.data.tags["goodfit.kind"] for run in client.search_runs([runs[0].info.experiment_id])]
    assert sorted(kinds) == ["candidate", "notes", "trial"]
    assert len(client.search_model_versions(f"name = '{section.model_name}'")) == 1


def test_mlflows_own_retries_make_two_runs_of_one(
    remote: TrackingSection, proxy: Proxy, server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    client = MlflowClient(remote.uri)
    experiment = client.create_experiment(remote.experiment)
    proxy.fault, proxy.match, proxy.left = "reset", CALLS["create run"], 1
    client.create_run(experiment)
    assert len(client.search_runs([experiment])) == 2


def test_a_tracker_that_goes_and_comes_back_gets_everything_once(
    tmp_path: Path, remote: TrackingSection, proxy: Proxy, server: int, said: list[str]
) -> None:
    with Tracker(remote, tmp_path) as tracker, tracker.candidate("a1") as run:
        run.metrics({"train/loss": 1.0}, 1)
        assert tracker.flush(10)
        proxy.stop()
        begun = time.perf_counter()
        for epoch in range(2, 200):
            run.metrics({"train/loss": 1 / epoch}, epoch)
        assert time.perf_counter() - begun < 2
        run.finish("FINISHED")
    assert len([line for line in said if "not reachable" in line]) == 1
    assert [line for line in said if "spooled" in line] == [
        "tracking: spooled 199 operations in .goodfit/outbox; the next dvc repro sends them."
    ]
    with pytest.raises(Outage):
        Tracker(remote, tmp_path).sync()
    direct = remote.model_copy(update={"uri": f"http://127.0.0.1:{server}"})
    assert Tracker(direct, tmp_path).sync() == 201  # by another address, so the two that had arrived go again
    assert Tracker(direct, tmp_path).sync() == 0
    client, runs = _runs(server, remote)
    history = client.get_metric_history(runs[0].info.run_id, "train/loss")
    assert [(point.step, point.value) for point in history] == [(epoch, 1 / epoch) for epoch in range(1, 200)]
    assert (len(runs), runs[0].info.status) == (1, "FINISHED")


def test_what_search_and_training_spooled_arrives_in_order(
    tmp_path: Path, remote: TrackingSection, server: int, said: list[str]
) -> None:
    down = remote.model_copy(update={"uri": "http://127.0.0.1:9"})
    with Tracker(down, tmp_path) as tracker, tracker.candidate("s1", search="s1") as run:
        tracker.trial(run, 0, params={"a": 1}).finish_trial("COMPLETE")
    with Tracker(down, tmp_path) as tracker, tracker.candidate("t1", search="s1", params={"a": 2}) as run:
        assert (run.id, tracker.flush(5)) == (None, False)
    direct = remote.model_copy(update={"uri": f"http://127.0.0.1:{server}"})
    Tracker(direct, tmp_path).sync()
    _, runs = _runs(server, remote)
    kinds = {run.data.tags["goodfit.kind"]: run for run in runs}
    assert len(runs) == 2
    assert kinds["candidate"].data.tags["goodfit.attempt"] == "t1"
    assert kinds["candidate"].data.params == {"a": "2"}
    assert kinds["trial"].data.tags["mlflow.parentRunId"] == kinds["candidate"].info.run_id


def test_slow_replies_do_not_slow_the_training(tmp_path: Path, remote: TrackingSection, proxy: Proxy) -> None:
    proxy.delay = 0.2
    with Tracker(remote, tmp_path) as tracker, tracker.candidate("a1") as run:
        begun = time.perf_counter()
        for epoch in range(100):
            run.metrics({"train/loss": 1.0}, epoch)
        spent = time.perf_counter() - begun
        assert tracker.flush(30)
    assert spent < 1


def test_a_lost_workspace_result_is_made_again_on_a_server(
    finished: Path, remote: TrackingSection, server: int
) -> None:
    assert [record(remote, finished).outcome for _ in range(2)] == ["recreated", "updated"]
    client, runs = _runs(server, remote)
    candidate = next(run for run in runs if run.data.tags["goodfit.kind"] == "candidate")
    names = {file.path for file in client.list_artifacts(candidate.info.run_id)}
    assert {"metrics.json", "params.yaml", "run.json", "reports"} <= names
    model = client.search_logged_models([candidate.info.experiment_id])[0]
    assert model.status == "READY"


def _file(root: Path) -> Path:
    (root / "params.yaml").write_text("seed: 42\n")
    return root / "params.yaml"


def _work(root: Path, section: TrackingSection) -> None:
    """A small training with a trial, an artifact and a model."""
    bundle = root / "models"
    bundle.mkdir()
    (bundle / "bundle.json").write_text("{}")
    description = {"inputs": [["age", "long"]], "outputs": [["prediction", "double"]], "example": None}
    with Tracker(section, root) as tracker, tracker.candidate("a1", params={"model.width": 8}) as run:
        for epoch in range(1, 4):
            run.metrics({"train/loss": 1 / epoch}, epoch)
        tracker.trial(run, 0, params={"model.width": 4}).finish_trial("COMPLETE")
        run.artifact(_file(root))
        run.model_of(bundle, description)
        run.finish("FINISHED")
        deadline = time.monotonic() + 60
        while not tracker.flush(1) and time.monotonic() < deadline:
            pass


def _check(server: int, section: TrackingSection) -> None:
    client, runs = _runs(server, section)
    kinds = {run.data.tags["goodfit.kind"]: run for run in runs}
    assert sorted(run.data.tags["goodfit.kind"] for run in runs) == ["candidate", "trial"]
    assert {run.info.status for run in runs} == {"FINISHED"}
    run_id = kinds["candidate"].info.run_id
    history = client.get_metric_history(run_id, "train/loss")
    assert [(point.step, point.value) for point in history] == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert kinds["candidate"].data.params == {"model.width": "8"}
    assert kinds["trial"].data.tags["mlflow.parentRunId"] == run_id
    assert [file.path for file in client.list_artifacts(run_id) if not file.is_dir] == ["params.yaml"]
    models = client.search_logged_models([kinds["candidate"].info.experiment_id])
    assert [model.status for model in models] == ["READY"]


def _runs(server: int, section: TrackingSection) -> tuple[MlflowClient, list[Any]]:
    client = MlflowClient(f"http://127.0.0.1:{server}")
    experiment = client.get_experiment_by_name(section.experiment)
    assert experiment is not None
    return client, list(client.search_runs([experiment.experiment_id]))
