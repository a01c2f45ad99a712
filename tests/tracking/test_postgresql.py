"""MLflow straight on a PostgreSQL: what works, and what is refused because it will not pass by itself."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from goodfit.errors import ServiceError
from goodfit.tracking import Tracker, TrackingSection


def section(uri: str) -> TrackingSection:
    return TrackingSection(experiment="churn", model_name="churn", uri=uri)


def record(uri: str, root: Path) -> None:
    with Tracker(section(uri), root) as tracker:
        run = tracker.candidate("a" * 64)
        run.metrics({"valid/loss": 0.5}, 1)
        run.finish("FINISHED")
        assert tracker.flush(60)


def connected(server: Any, database: str) -> Any:
    return psycopg.connect(
        host=server.host, port=server.port, user=server.user, password=server.password, dbname=database, autocommit=True
    )


@pytest.fixture
def database(postgresql: Any) -> Any:
    """An empty database of the test's own."""
    with connected(postgresql, "postgres") as connection:
        connection.execute("CREATE DATABASE tracking")
        yield postgresql
        connection.execute("DROP DATABASE tracking WITH (FORCE)")


def test_runs_are_kept_on_a_postgresql(database: Any, tmp_path: Path) -> None:
    record(database.url(database="tracking"), tmp_path)
    with connected(database, "tracking") as connection:
        states = connection.execute("SELECT status FROM runs").fetchall()
    assert states == [("FINISHED",)]


@pytest.mark.parametrize("wrong", ["password", "database"])
def test_what_will_not_pass_is_refused_without_the_password(postgresql: Any, tmp_path: Path, wrong: str) -> None:
    secret = "t0psecret-canary"
    uri = postgresql.url(password=secret) if wrong == "password" else postgresql.url(database="nowhere")
    with pytest.raises(ServiceError) as raised:
        record(uri, tmp_path)
    message = str(raised.value)
    assert raised.value.exit_code == 5
    assert f"127.0.0.1:{postgresql.port}" in message and len(message.splitlines()) == 1
    assert secret not in message and postgresql.password not in message
    assert ("authentication failed" if wrong == "password" else "does not exist") in message


def test_a_server_that_is_down_costs_seconds_and_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Tracker(section("postgresql+psycopg://u:p@127.0.0.1:9/x"), tmp_path) as tracker:
        tracker.candidate("a" * 64).finish("FINISHED")
    assert list((tmp_path / ".goodfit/outbox").rglob("*"))
    assert "127.0.0.1:9 does not answer" in capsys.readouterr().out
