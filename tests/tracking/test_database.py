"""The SQLite file: made once by many, and everything that may stand in its place."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from goodfit.errors import ServiceError
from goodfit.tracking import Tracker, TrackingSection, address, ui_command
from goodfit.tracking.courier import Courier
from goodfit.tracking.database import inspect
from goodfit.tracking.outbox import FOLDER, Outbox
from goodfit.tracking.revisions import _migrations
from goodfit.tracking.store import Contention, Outage

OPEN = """
import sys
from pathlib import Path
from goodfit.tracking import Tracker, TrackingSection
with Tracker(TrackingSection(experiment="e", model_name="m"), Path(".")) as tracker:
    with tracker.candidate(sys.argv[1]) as run:
        run.metrics({"x": 1.0})
        assert tracker.flush(60), "not sent"
"""


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.faults)])
def test_processes_at_once_make_what_a_killed_one_left_unmade(tmp_path: Path, processes: int) -> None:  # K34
    database = tmp_path / "mlflow.db"
    database.write_bytes(b"")  # as some other interrupted start leaves it
    killed = _open(tmp_path, "attempt", GOODFIT_TEST="1", GOODFIT_FAILPOINT="track.schema:KILL")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert database.stat().st_size == 0 and (tmp_path / "mlflow.db.new").exists()
    workers = [_open(tmp_path, f"attempt{number}") for number in range(processes)]
    texts = [worker.communicate(timeout=120)[0].decode() for worker in workers]
    assert [(worker.returncode, text) for worker, text in zip(workers, texts, strict=True)] == [(0, "")] * processes
    with closing(sqlite3.connect(database)) as connection:
        statuses = connection.execute("SELECT status, count(*) FROM runs GROUP BY status ORDER BY status").fetchall()
        assert statuses == [("KILLED", 1), ("SCHEDULED", processes)]  # what the killed one had written down arrives too
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM experiments WHERE name = 'e'").fetchone() == (1,)
    assert inspect(database) == _migrations()[1]
    assert not (tmp_path / "mlflow.db.new").exists()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _text(path: Path) -> None:
    path.write_text("not a database\n" * 100)


def _other(path: Path) -> None:
    path.unlink()
    _execute(path, "CREATE TABLE customers (id INTEGER)")


def _half(path: Path) -> None:
    path.unlink()
    _execute(path, "CREATE TABLE experiments (id INTEGER)", "CREATE TABLE alembic_version (version_num TEXT)")


def _older(path: Path) -> None:
    _execute(path, f"UPDATE alembic_version SET version_num = '{min(_migrations()[0] - {_migrations()[1]})}'")


def _newer(path: Path) -> None:
    _execute(path, "UPDATE alembic_version SET version_num = 'ffffffffffff'")


def _torn(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:1024] + os.urandom(4096) + content[5120 : len(content) // 2])


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "nowhere" / "mlflow.db")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_folder, "is a folder"),
        (_text, "is not a usable SQLite database"),
        (_other, "but not MLflow's"),
        (_half, "but not MLflow's"),
        (_older, "mlflow db upgrade"),
        (_newer, "newer MLflow"),
        (_torn, "not a usable SQLite database"),
    ],
)
def test_a_database_that_can_never_work_is_refused_when_the_stage_starts(
    root: Path, section: TrackingSection, damage: Callable[[Path], None], message: str
) -> None:
    path = root / "mlflow.db"
    damage(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ServiceError, match=message) as raised:
        Tracker(section, root)
    assert raised.value.exit_code == 5
    assert str(path) in str(raised.value) and len(str(raised.value).splitlines()) == 1
    assert (path.read_bytes() if path.is_file() else None) == before


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write everywhere")
def test_a_read_only_database_is_refused(root: Path) -> None:
    (root / "mlflow.db").chmod(0o444)
    mortal = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-all"] if os.geteuid() == 0 else []
    done = subprocess.run([*mortal, sys.executable, "-c", OPEN, "attempt"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 1
    assert "mlflow.db: is read-only" in done.stderr


def test_a_database_that_another_process_holds_does_not_stop_the_work(
    root: Path, section: TrackingSection, said: list[str]
) -> None:
    with _held(root / "mlflow.db") as release:
        begun = time.perf_counter()
        tracker = Tracker(section, root)
        run = tracker.candidate("attempt")
        run.metrics({"x": 1.0})
        spent = time.perf_counter() - begun
        release.set()
    assert tracker.flush(60)
    tracker.close()
    assert spent < 5
    assert said == []


@pytest.mark.parametrize("failure", [Contention, Outage])
def test_a_store_to_which_others_came_first_is_asked_again_and_is_not_down(
    root: Path, section: TrackingSection, said: list[str], monkeypatch: pytest.MonkeyPatch, failure: type[Outage]
) -> None:
    close, calls = Courier.close_orphans, []

    def contended(courier: Courier) -> int:
        calls.append(courier)
        if len(calls) < 3:
            raise failure("UNIQUE constraint failed: tags.key, tags.run_uuid")
        return close(courier)

    monkeypatch.setattr(Courier, "close_orphans", contended)
    with Tracker(section, root) as tracker:
        tracker.candidate("attempt").metrics({"x": 1.0})
        assert tracker.flush(60) is (failure is Contention)
    assert bool(said) is (failure is Outage)


def test_what_another_process_is_sending_counts_as_sent_when_it_is(
    root: Path, section: TrackingSection, said: list[str]
) -> None:
    with Tracker(section, root) as tracker:
        with Outbox(root / FOLDER / "attempt").sending() as allowed:  # as if by another process
            run = tracker.candidate("attempt")
            run.metrics({"x": 1.0})
            assert allowed and not tracker.flush(3)
        assert tracker.flush(60)
        run.finish()
    assert said == []
    with closing(sqlite3.connect(root / "mlflow.db")) as connection:
        assert connection.execute("SELECT status FROM runs").fetchall() == [("FINISHED",)]


@contextmanager
def _held(path: Path) -> Iterator[threading.Event]:
    """Hold a database as another process would, until the event is set."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            held.set()
            release.wait(30)
            connection.execute("ROLLBACK")

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(5)
    try:
        yield release
    finally:
        release.set()
        holder.join()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("mlruns", "file store"),
        ("file:///somewhere/mlruns", "file store"),
        ("./mlruns", "file store"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("ftp://user:t0psecret@host/x", "scheme 'ftp'"),
        ("", "file store"),
    ],
)
def test_an_address_that_is_no_tracking_store_is_refused(root: Path, uri: str, message: str) -> None:
    with pytest.raises(ServiceError, match=message) as raised:
        Tracker(TrackingSection(experiment="e", model_name="m", uri=uri), root)
    assert "t0psecret" not in str(raised.value)


def test_the_environment_comes_before_the_section(
    root: Path, section: TrackingSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert address(section, root) == f"sqlite:///{root}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert address(section, root) == "http://127.0.0.1:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", " ")
    assert address(section, root) == f"sqlite:///{root}/mlflow.db"


def test_a_project_may_lie_at_an_odd_path(tmp_path: Path, blank_database: Path, section: TrackingSection) -> None:
    root = tmp_path / 'it\'s "50%" of the café #1'
    root.mkdir()
    shutil.copyfile(blank_database, root / "mlflow.db")
    (root / "note.txt").write_text("x")
    with Tracker(section, root) as tracker, tracker.candidate("attempt") as run:
        run.artifact(root / "note.txt")
        assert tracker.flush(30)
        assert len(list((root / "mlartifacts").rglob("note.txt"))) == 1


def test_the_interface_is_served_from_the_projects_database_on_this_machine_only(
    root: Path, section: TrackingSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MLFLOW_BACKEND_STORE_URI", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "MLFLOW_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "restored after the test")
    command = ui_command(section, root, 5001)
    assert command[:4] == [sys.executable, "-m", "mlflow", "server"]
    assert os.environ["MLFLOW_BACKEND_STORE_URI"] == f"sqlite:///{root}/mlflow.db"
    assert os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    database = TrackingSection(experiment="e", model_name="m", uri="postgresql://u:t0psecret@db.example.org/x")
    assert "t0psecret" not in " ".join(ui_command(database, root))
    assert command[command.index("--host") + 1] == "127.0.0.1"
    server = TrackingSection(experiment="e", model_name="m", uri="https://u:t0psecret@mlflow.example.org")
    with pytest.raises(ServiceError, match="open https://u:") as raised:
        ui_command(server, root)
    assert "t0psecret" not in str(raised.value)


def _execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def _open(root: Path, attempt: str, **environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", OPEN, attempt],
        cwd=root,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
