"""`goodfit serve`: one model per request, the champion of now, and 4xx for whatever a client does wrong."""

import http.client
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from goodfit.bundle import Scorer
from goodfit.errors import MachineError
from goodfit.serving import app as interface
from goodfit.serving.app import application
from goodfit.serving.choosing import Chosen
from goodfit.serving.following import Follower
from goodfit.serving.journal import Journal, parts_in, read_journal
from goodfit.serving.server import bound, server

spec = importlib.util.spec_from_file_location("made_up_for_serve", Path(__file__).with_name("conftest.py"))
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)
NO_ANSWER = "lies so far from the training data that the model has no finite answer"
FEATURES = ["age", "income", "plan", "town", "member", "since"]


class Running:
    """A server on a free port, in a thread."""

    def __init__(self, follower: Follower, journal: Journal | None = None) -> None:
        self.follower = follower
        self.socket = bound(0)
        self.port = int(self.socket.getsockname()[1])
        self.server = server(application(follower, journal))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        connection.request(method, path, content, sent)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if answer.headers[
            "content-type"
        ] == "application/json" else text.decode()

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=20)
        self.socket.close()


@pytest.fixture
def running() -> Iterator[Running]:
    started = Running(Follower(Chosen("made-up version 1", 1, made_up.bundle_of())))
    yield started
    started.close()


def body_of(frame: Any) -> dict[str, Any]:
    return {"rows": json.loads(frame[FEATURES].to_json(orient="records", date_format="iso"))}


def test_answers_are_those_of_the_model_to_the_bit(running: Running) -> None:
    frame = made_up.rows(2000, seed=3)
    status, told = running.ask("POST", "/predict", body_of(frame))
    expected = Scorer(running.follower.current.bundle).predict(frame.astype({"income": float}))
    assert (status, told["version"], len(told["predictions"])) == (200, 1, 2000)
    # income goes through JSON with 10 digits by pandas, so the model is asked with what was sent
    sent = frame.assign(income=[row["income"] for row in body_of(frame)["rows"]])
    expected = Scorer(running.follower.current.bundle).predict(sent.astype({"income": float}))
    assert [row["probability_yes"] for row in told["predictions"]] == expected["probability_yes"].tolist()
    assert [row["prediction"] for row in told["predictions"]] == expected["prediction"].tolist()


def test_ids_may_come_along_and_order_does_not_matter(running: Running) -> None:
    row = body_of(made_up.rows(1))["rows"][0]
    plain = running.ask("POST", "/predict", {"rows": [row]})
    mixed = {name: row[name] for name in sorted(row, reverse=True)} | {"number": 7}
    assert running.ask("POST", "/predict", {"rows": [mixed]}) == plain


def test_health_and_metadata(running: Running) -> None:
    status, health = running.ask("GET", "/health")
    assert (status, health["status"], health["version"], health["follows_champion"]) == (200, "ok", 1, False)
    status, facts = running.ask("GET", "/metadata")
    assert status == 200
    assert [column["name"] for column in facts["columns"]] == FEATURES
    assert (facts["task"], facts["classes"], facts["target"]) == ("binary", ["no", "yes"], "left")


ROW = {"age": 1, "income": 2.5, "plan": "a", "town": None, "member": True, "since": "2024-01-01T00:00:00"}
HOSTILE: dict[str, tuple[Any, str]] = {
    "no JSON": (b"{", "is not JSON"),
    "nothing": (b"", "is not JSON"),
    "not UTF-8": (b'{"rows": "\xff"}', "is not JSON"),
    "NaN": (b'{"rows": [{"age": NaN}]}', "NaN is no number"),
    "Infinity": (b'{"rows": [{"age": -Infinity}]}', "-Infinity is no number"),
    "a number of many digits": (b'{"rows": [' + b"9" * 5000 + b"]}", "is not JSON"),
    "deep lists": (b"[" * 100_000, "is not JSON"),
    "deep objects": (b'{"rows":' * 100_000, "is not JSON"),
    "a key twice": (b'{"rows": [{"age": 1, "age": 2}]}', "stands there twice"),
    "a list": ([], "must hold rows"),
    "text": ("rows", "must hold rows"),
    "more than rows": ({"rows": [ROW], "code": "import os"}, "must hold rows"),
    "no rows": ({"rows": []}, "must be 1 to"),
    "too many rows": ({"rows": [{}] * 10_001}, "must be 1 to"),
    "a row that is none": ({"rows": [ROW, 7]}, "must each be an object"),
    "a missing column": ({"rows": [{k: v for k, v in ROW.items() if k != "plan"}]}, "rows[0].plan: is missing"),
    "an unknown column": ({"rows": [{**ROW, "Age": 1}]}, "rows[0].Age: is no column of the model. Did you mean 'age'?"),
    "the target": ({"rows": [{**ROW, "left": "yes"}]}, "rows[0].left: is no column"),
    "text for a number": ({"rows": [{**ROW, "age": "1"}]}, "rows[0].age: must be a number or null (it is '1')"),
    "truth for a number": ({"rows": [{**ROW, "age": True}]}, "rows[0].age: must be a number"),
    "a number beyond": (
        json.dumps({"rows": [ROW]}).replace("2.5", "1e999").encode(),
        "rows[0].income: must be a number",
    ),
    "a whole number beyond": ({"rows": [{**ROW, "age": 10**400}]}, "rows[0].age: must be a number"),
    "a number for truth": ({"rows": [{**ROW, "member": 2}]}, "rows[0].member: must be true or false"),
    "a number for a date": ({"rows": [{**ROW, "since": 7}]}, "rows[0].since: must be a date"),
    "no date": ({"rows": [{**ROW, "since": "31/12/2024"}]}, "rows[0].since: must be a date"),
    "a list for text": ({"rows": [{**ROW, "plan": ["a"]}]}, "rows[0].plan: must be text"),
    "an object for text": ({"rows": [{**ROW, "town": {"$ne": 1}}]}, "rows[0].town: must be text"),
    "half a character": (
        json.dumps({"rows": [ROW]}).replace('"a"', '"\\ud800"').encode(),
        "rows[0].plan: must be text",
    ),
    "half a character as a name": (b'{"rows": [{"\\ud800": 1}]}', "is no column"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_get_4xx_and_a_reason(running: Running, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    body, reason = HOSTILE[name]
    status, told = running.ask("POST", "/predict", body)
    assert (status, list(told)) == (422, ["faults"]), told
    assert any(reason in fault for fault in told["faults"]), told
    assert len(json.dumps(told)) < 20_000
    assert "Traceback" not in json.dumps(told) + "".join(capfd.readouterr())
    assert running.ask("POST", "/predict", {"rows": [ROW]})[0] == 200, "it goes on answering"


def test_100_megabytes_are_refused_without_being_kept(running: Running) -> None:
    import psutil

    before = psutil.Process().memory_info().rss
    body = b'{"rows": "' + b"x" * (100 << 20) + b'"}'
    held = psutil.Process().memory_info().rss - before
    status, told = running.ask("POST", "/predict", body)
    assert (status, "more than 8,388,608 bytes" in told["faults"][0]) == (413, True)
    assert psutil.Process().memory_info().rss - before - held < 60 << 20
    assert running.ask("POST", "/predict", {"rows": [ROW]})[0] == 200


def test_a_body_that_never_ends_is_cut(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "PATIENCE", 0.3)
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as client:
        head = (
            "POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        client.sendall(head.encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/predict", {}, 405),
        ("POST", "/nowhere", {}, 404),
        ("GET", "/docs", {}, 404),
        ("GET", "/openapi.json", {}, 404),
        ("GET", "/../../etc/passwd", {}, 404),
        ("POST", "/predict", {"Content_Type": "text/plain"}, 415),
        ("GET", "/health", {"Host": "10.evil.com"}, 400),
    ],
)
def test_other_wrong_requests(running: Running, method: str, path: str, headers: dict[str, str], status: int) -> None:
    found, _ = running.ask(method, path, {"rows": [ROW]}, **headers)
    assert found == status


def test_an_answer_that_is_no_number_is_refused(running: Running) -> None:
    endless = made_up.bundle_of(target="age")
    endless.model.head.weight.data.fill_(3e38)
    running.follower.exchange(Chosen("endless", 2, endless))
    status, told = running.ask(
        "POST", "/predict", {"rows": [{k: v for k, v in ROW.items() if k != "age"} | {"left": "no"}]}
    )
    assert (status, told["faults"]) == (422, [f"rows[0]: {NO_ANSWER}."])


def test_a_bug_shows_no_traceback_to_the_client(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "frame_of", lambda *_: 1 / 0)
    status, told = running.ask("POST", "/predict", {"rows": [ROW]})
    assert (status, told) == (500, {"faults": ["This is a fault of the server; its log says more."]})


def hammer(running: Running, frame: Any, requests: int, clients: int) -> list[tuple[int, Any]]:
    body = body_of(frame)
    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(lambda _: running.ask("POST", "/predict", body), range(requests)))


@pytest.mark.parametrize("requests", [120, pytest.param(1000, marks=pytest.mark.slow)])
def test_no_request_sees_a_mixture_while_the_model_is_exchanged(running: Running, requests: int) -> None:
    """The answers of every request are those of the version that it names, to the bit; 16 clients at once."""
    frame = made_up.rows(60, seed=9)
    sent = frame.assign(income=[row["income"] for row in body_of(frame)["rows"]]).astype({"income": float})
    models = {n: Chosen(f"version {n}", n, made_up.bundle_of(weight_seed=n)) for n in (1, 2)}
    expected = {n: Scorer(m.bundle).predict(sent)["probability_yes"].tolist() for n, m in models.items()}
    assert not set(expected[1]) & set(expected[2])
    running.follower.exchange(models[1])
    done = threading.Event()

    def exchange() -> None:
        number = 0
        while not done.wait(0.01):
            running.follower.exchange(models[number % 2 + 1])
            number += 1

    thread = threading.Thread(target=exchange)
    thread.start()
    found = hammer(running, frame, requests, 16)
    done.set()
    thread.join()
    assert [status for status, _ in found] == [200] * requests
    assert {told["version"] for _, told in found} == {1, 2}, "both answered"
    for _, told in found:
        assert [row["probability_yes"] for row in told["predictions"]] == expected[told["version"]]


def test_the_journal_keeps_what_was_asked_and_answered(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log")
    started = Running(Follower(Chosen("v", 3, made_up.bundle_of())), journal)
    frame = made_up.rows(30)
    _, told = started.ask("POST", "/predict", {"rows": [{**row, "number": 1} for row in body_of(frame)["rows"]]})
    assert started.ask("POST", "/predict", b"{")[0] == 422
    started.close()
    journal.close()
    kept = read_journal(tmp_path / "log")
    assert (len(kept), journal.written, journal.dropped) == (30, 30, 0)
    assert kept["age"].tolist() == frame["age"].tolist() and set(kept["version"]) == {3}
    assert kept["answer.probability_yes"].tolist() == [row["probability_yes"] for row in told["predictions"]]
    assert "number" not in kept, "what the model does not need is not kept"
    (part,) = parts_in(tmp_path / "log")
    assert part.stat().st_mode & 0o777 == 0o600
    with part.open("a") as stream:
        stream.write('{"at": "torn')
    assert len(read_journal(tmp_path / "log")) == 30


def test_the_journal_is_bounded(tmp_path: Path) -> None:
    from goodfit.serving.journal import Entry

    journal = Journal(tmp_path, part_bytes=2000, parts=3)
    for number in range(100):
        journal.add(Entry(1, [{"n": number, "text": "x" * 200}], [{"prediction": "a"}]))
    journal.close()
    assert len(parts_in(tmp_path)) == 3
    assert sum(part.stat().st_size for part in parts_in(tmp_path)) < 3 * 2500
    assert read_journal(tmp_path)["n"].tolist()[-1] == 99, "the newest stay"


def test_a_slow_disk_drops_records_and_delays_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from goodfit.serving.journal import WAITING, Entry

    blocked = threading.Event()
    monkeypatch.setattr(Journal, "_write", lambda self, entry: blocked.wait(30))
    journal = Journal(tmp_path)
    start = time.monotonic()
    for _ in range(WAITING + 50):
        journal.add(Entry(1, [{}], [{}]))
    assert time.monotonic() - start < 5
    assert 0 < journal.dropped <= 50
    blocked.set()
    journal.close()


def test_small_answers_do_not_wait_for_a_full_packet() -> None:
    """A socket without its protocol named is left with Nagle's algorithm: every request took 40 ms more."""
    with bound(0) as sock:
        assert sock.proto == socket.IPPROTO_TCP


def test_a_port_in_use_is_said(running: Running) -> None:
    with pytest.raises(MachineError, match="cannot be used: Address already in use"):
        bound(running.port)


def test_the_command_ends_cleanly_on_sigterm(project: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "GOODFIT"))}
    command = [str(Path(sys.executable).parent / "goodfit"), "serve", "--port", "0", "--model", "candidate"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        line = process.stdout.readline()
        assert "models/candidate answers at http://127.0.0.1:" in line
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "serve: ended\n", "")


def test_the_journal_can_be_examined_for_drift(tmp_path: Path) -> None:
    """Rows as they were trained on raise no alarm; rows that have moved do, in the column that has."""
    from goodfit.data import SchemaSection, Table, infer_schema
    from goodfit.retraining.drift import find_drift
    from goodfit.retraining.drift_section import DriftSection
    from goodfit.retraining.profile import profile_of

    before = made_up.rows(4000, seed=1)
    profile = profile_of(Table(before, infer_schema(before, SchemaSection(**made_up.SCHEMA))))
    found = []
    for name, moved in (("same", 0), ("moved", 400)):
        journal = Journal(tmp_path / name)
        started = Running(Follower(Chosen("v", 1, made_up.bundle_of())), journal)
        frame = made_up.rows(2000, seed=2)
        assert started.ask("POST", "/predict", body_of(frame.assign(income=frame["income"] + moved)))[0] == 200
        started.close()
        journal.close()
        kept = read_journal(tmp_path / name)[FEATURES]
        assert len(kept) == 2000
        found.append(find_drift(profile, kept.drop(columns="since"), None, DriftSection()).drifted)
    assert found == [(), ("income",)]
