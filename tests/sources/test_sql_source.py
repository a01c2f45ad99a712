"""The sql source against SQLite and a real PostgreSQL."""

import datetime
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import sqlalchemy

from goodfit.errors import ConfigurationError, DataError, GoodfitError, MachineError, ServiceError

TYPES = """
SELECT i, i::smallint AS small, 9007199254740993::bigint AS big, 1.5::numeric(10,2) AS price,
       12::numeric(20,0) AS whole, i / 2.0::float8 AS half, 'Grüße, 世界 ' || i AS words,
       i % 2 = 0 AS flag, DATE '2024-02-29' AS day,
       TIMESTAMP '2024-02-29 12:30:45.123456' AS moment, TIMESTAMPTZ '2024-02-29 12:30:45+02' AS instant,
       TIME '12:30' AS clock, '6ecd8c99-4036-403d-bf84-cf8400f67836'::uuid AS uid, '10.0.0.1'::inet AS host,
       CASE WHEN i > 15000 THEN i END AS late, CASE WHEN i % 3 = 0 THEN i END AS gaps, NULL::int AS nothing,
       '50%' AS percent, ':x' AS colon
FROM generate_series(1, 25000) AS i ORDER BY i
"""


@pytest.fixture
def sqlite(project: Path, monkeypatch: pytest.MonkeyPatch) -> sqlite3.Connection:
    connection = sqlite3.connect(project / "input/shop.db")
    connection.execute("CREATE TABLE orders (id INTEGER, name TEXT, price REAL, loose)")
    rows = [(i, f"name {i}", i / 4, None) for i in range(12_345)]
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    monkeypatch.setenv("SHOP", "sqlite:///input/shop.db")
    yield connection
    connection.close()


def test_sqlite_rows_come_in_chunks_and_whole(read: Callable[..., Any], sqlite: sqlite3.Connection) -> None:
    found = read(kind="sql", url_env="SHOP", query="SELECT * FROM orders WHERE name LIKE 'name %' ORDER BY id")
    assert found.values("id") == list(range(12_345))
    assert [found.kind(name) for name in ("id", "name", "price", "loose")] == ["int64", "string", "double", "string"]
    assert "DVC cannot see changes in a database" in found.said


def test_sqlite_column_that_turns_to_text_late_is_named(read: Callable[..., Any], sqlite: sqlite3.Connection) -> None:
    sqlite.execute("UPDATE orders SET loose = id")
    sqlite.execute("UPDATE orders SET loose = 'many' WHERE id = 12000")
    sqlite.commit()
    with pytest.raises(DataError, match=r"row 12001, column 'loose': is text in a column that began with a number"):
        read(kind="sql", url_env="SHOP", query="SELECT * FROM orders ORDER BY id")


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ("SELECT * FROM nowhere", ConfigurationError, "source.query: the database refuses it: no such table"),
        ("SELEC 1", ConfigurationError, "syntax error"),
        ("DELETE FROM orders", ConfigurationError, "returns no rows"),
        ("SELECT id, id FROM orders", DataError, "column 'id': stands there 2 times"),
        ("SELECT x'00ff' AS raw", DataError, "column 'raw': is of the type bytes"),
        ("SELECT 9e999 AS huge", DataError, "column 'huge': is infinite"),
        ("SELECT id FROM orders WHERE id < 0", DataError, "has no rows"),
    ],
)
def test_a_wrong_query_is_told(
    read: Callable[..., Any], sqlite: sqlite3.Connection, query: str, error: type[GoodfitError], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        read(kind="sql", url_env="SHOP", query=query)
    assert sqlite.execute("SELECT count(*) FROM orders").fetchone() == (12_345,)
    assert not Path("data/raw.parquet").exists()


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("", ConfigurationError, "this environment variable is not set (it is 'SHOP')"),
        ("not-a-url:geheim", ConfigurationError, "the variable SHOP holds no SQLAlchemy URL"),
        ("oddsql://me:geheim@host/x", ConfigurationError, "the variable SHOP holds no SQLAlchemy URL"),
        ("sqlite:///input/missing.db", ConfigurationError, "names an SQLite file that does not exist"),
        ("mysql+pymysql://me:geheim@host/x", MachineError, "the driver of the database is not installed"),
        ("postgresql+psycopg://me:geheim@127.0.0.1:1/x", ServiceError, "postgresql database 'x' at 127.0.0.1"),
    ],
)
def test_a_wrong_url_is_told_without_its_password(
    read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, url: str, error: type[GoodfitError], message: str
) -> None:
    monkeypatch.setenv("SHOP", url)
    with pytest.raises(error, match=re.escape(message)) as raised:
        read(kind="sql", url_env="SHOP", query="SELECT 1 AS one")
    assert "geheim" not in str(raised.value)
    assert not list(Path("input").iterdir()), "SQLite made an empty file"


def test_sqlalchemy_by_itself_makes_an_empty_sqlite_file(project: Path) -> None:
    """The trap that the test above shows the defence against."""
    engine = sqlalchemy.create_engine("sqlite:///input/missing.db", poolclass=sqlalchemy.NullPool)
    engine.connect().close()
    assert Path("input/missing.db").exists()


def test_postgresql_types_survive(read: Callable[..., Any], postgresql: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", postgresql.url())
    found = read(kind="sql", query=TYPES)
    assert found.done.rows == 25_000
    assert {field.name: str(field.type) for field in found.table.schema} == {
        **{"i": "int64", "small": "int64", "big": "int64", "price": "double", "whole": "int64", "half": "double"},
        **{"words": "string", "flag": "bool", "day": "date32[day]", "moment": "timestamp[us]"},
        **{"instant": "timestamp[us, tz=UTC]", "clock": "string", "uid": "string", "host": "string"},
        **{"late": "int64", "gaps": "int64", "nothing": "string", "percent": "string", "colon": "string"},
    }
    assert found.values("big")[0] == 9007199254740993
    assert found.values("words")[1] == "Grüße, 世界 2"
    assert found.values("late")[:2] == [None, None]
    assert found.values("late")[-1] == 25_000
    assert found.values("instant")[0] == datetime.datetime(2024, 2, 29, 10, 30, 45, tzinfo=datetime.UTC)
    assert found.values("moment")[0].microsecond == 123456
    assert (found.values("percent")[0], found.values("colon")[0]) == ("50%", ":x")


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ("SELECT '{}'::jsonb AS tree", DataError, "column 'tree': is of the type dict"),
        ("SELECT ARRAY[1,2] AS list", DataError, "column 'list': is of the type list"),
        ("SELECT INTERVAL '1 day' AS span", DataError, "column 'span': is of the type timedelta"),
        ("SELECT 1 / (i - 5) AS q FROM generate_series(1, 9) AS i", ConfigurationError, "division by zero"),
        ("SELECT * FROM secret_table", ConfigurationError, 'relation "secret_table" does not exist'),
        ("SELECT 'Infinity'::float8 AS inf", DataError, "column 'inf': is infinite"),
    ],
)
def test_postgresql_refusals(
    read: Callable[..., Any],
    postgresql: Any,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    error: type[GoodfitError],
    message: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgresql.url())
    with pytest.raises(error, match=re.escape(message)):
        read(kind="sql", query=query)


def test_nothing_a_query_does_is_committed(
    read: Callable[..., Any], postgresql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgresql.url())
    with pytest.raises(GoodfitError):
        read(kind="sql", query="CREATE TABLE planted (x int)")
    with pytest.raises(ConfigurationError, match="planted"):
        read(kind="sql", query="SELECT * FROM planted")


def test_a_wrong_password_is_told_and_not_shown(
    read: Callable[..., Any], postgresql: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = "not the p@ss/wörd"
    monkeypatch.setenv("DATABASE_URL", postgresql.url(wrong))
    with pytest.raises(ServiceError, match="password authentication failed") as raised:
        read(kind="sql", query="SELECT 1 AS one")
    shown = f"{raised.value}{''.join(capfd.readouterr())}"
    for spelling in (wrong, quote(wrong, safe=""), quote_plus(wrong), postgresql.url(wrong)):
        assert spelling not in shown
    assert "Look at the server, and at user, password and database in DATABASE_URL." in shown


def test_a_missing_database_is_the_services_fault(
    read: Callable[..., Any], postgresql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgresql.url(database="nowhere"))
    with pytest.raises(ServiceError, match="'nowhere'"):
        read(kind="sql", query="SELECT 1 AS one")


def test_what_a_driver_repeats_of_the_url_is_blanked(monkeypatch: pytest.MonkeyPatch) -> None:
    from goodfit.sources.database import _said

    url = sqlalchemy.make_url("postgresql+psycopg://me:p%40ss%2Fword@host/x?sslpassword=inner")
    text = f"cannot use {url.render_as_string(hide_password=False)} with p@ss/word, p%40ss%2Fword or inner."
    said = _said(RuntimeError(text), url)
    assert said == "cannot use *** with ***, *** or ***"
