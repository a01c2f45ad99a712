"""A new database is a copy of one that MLflow made before, or MLflow makes it; nothing can tell which."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from goodfit.tracking import store, template


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/goodfit"


@pytest.fixture
def migrations(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Every path that MLflow's migrations were run on."""
    run, taken = store._migrate, list[Path]()

    def noting(path: Path) -> None:
        taken.append(path)
        run(path)

    monkeypatch.setattr(store, "_migrate", noting)
    yield taken


def content(path: Path) -> dict[str, Any]:
    """Every table's definition and rows, but for the time an experiment was made."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        rows = {
            name: connection.execute(f"SELECT * FROM {name}").fetchall()
            for name, sql in tables
            if str(sql).startswith("CREATE TABLE")
        }
    clock = ("creation_time", "last_update_time")
    assert all(column in dict(tables)["experiments"] for column in clock)
    rows["experiments"] = [row[:4] for row in rows["experiments"]]
    return {"tables": tables, "rows": rows}


def made(folder: Path) -> Path:
    folder.mkdir()
    client = store.connect(f"sqlite:///{folder}/mlflow.db")
    assert client.get_experiment("0").artifact_location == str(folder / "mlartifacts/0")
    run = client.create_run("0")
    assert client.get_run(run.info.run_id).info.artifact_uri.startswith(str(folder / "mlartifacts"))
    client.delete_run(run.info.run_id)
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection, connection:
        for table in ("tags", "runs"):
            connection.execute(f"DELETE FROM {table}")
    return folder / "mlflow.db"


def test_the_second_database_is_a_copy_and_equal(tmp_path: Path, cache: Path, migrations: list[Path]) -> None:
    first, second = made(tmp_path / "first"), made(tmp_path / "second")
    assert len(migrations) == 1
    known, copied = content(first), content(second)
    (old,) = known["rows"].pop("experiments")
    (new,) = copied["rows"].pop("experiments")
    assert known == copied
    assert [str(value).replace("/first/", "/second/") for value in old] == [str(value) for value in new]
    assert [path.name for path in cache.iterdir()] == [f"mlflow-{version('mlflow')}.db"]


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "older", "folder"])
def test_a_template_of_no_use_costs_time_alone(
    tmp_path: Path, cache: Path, migrations: list[Path], damage: str
) -> None:
    made(tmp_path / "first")
    (kept,) = cache.iterdir()
    sound = kept.read_bytes()
    if damage == "older":
        with closing(sqlite3.connect(kept)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    elif damage == "folder":
        kept.unlink()
        kept.mkdir()
    else:
        kept.write_bytes({"empty": b"", "cut": sound[: len(sound) // 2], "text": b"hello"}[damage])
    made(tmp_path / "second")
    assert len(migrations) == 2
    if damage != "folder":
        made(tmp_path / "third")
        assert len(migrations) == 2, "the template was not made anew"
    assert not list((tmp_path / "second").glob("*.new*"))


def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path: Path, cache: Path, migrations: list[Path]) -> None:
    cache.parent.write_text("a file in the place of the folder")
    made(tmp_path / "first")
    made(tmp_path / "second")
    assert len(migrations) == 2


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert template.cache_folder() == tmp_path / ".cache/goodfit"
