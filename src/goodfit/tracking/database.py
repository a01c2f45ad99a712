"""The SQLite file: made once, whole, under a lock; and told apart from everything that only sits in its place."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from goodfit.errors import Fault, ServiceError
from goodfit.files import flush, remove
from goodfit.stage import failpoint
from goodfit.tracking.revisions import check_revision

WAIT = 3.0
"""Seconds to wait for another process that holds the database before calling it busy."""
_LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_NEEDED = {"experiments", "runs", "metrics", "latest_metrics", "params", "tags", "alembic_version"}


class Busy(Exception):
    """Another process holds the database; it is in order, only not now."""


def prepare(path: Path, create: Callable[[Path], None]) -> None:
    """Make the database if it is not there, or check that what is there is one that can be used.

    Args:
        path: the SQLite file.
        create: writes a complete, empty database to the path it is given.

    Raises:
        ServiceError: a folder, another kind of file, a damaged, foreign, half-made or read-only database.
    """
    if not _fresh(path):
        inspect(path)
        return
    with exclusive(path.with_name(f"{path.name}.lock")):
        if _fresh(path):
            _make(path, create)
    inspect(path)


def inspect(path: Path) -> str | None:
    """Return the schema revision of a sound database; None when another process holds it.

    Raises:
        ServiceError: it cannot be used.
    """
    if path.is_dir():
        raise _wrong(path, "is a folder where the tracking database should be", "Move it away.")
    try:
        revision = _probe(path)
    except Busy:
        return None
    except sqlite3.DatabaseError as error:
        raise _wrong(path, f"is not a usable SQLite database: {error}", _RESTORE) from error
    except OSError as error:
        raise _wrong(path, f"cannot be opened: {error.strerror}", "Check its permissions.") from error
    check_revision(path, revision)
    return revision


def relocate(path: Path, old: str, new: str) -> None:
    """Replace the folder under which artifacts are looked for."""
    with closing(sqlite3.connect(path, timeout=WAIT)) as connection, connection:
        for table, column in _LOCATIONS:
            connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                f"WHERE {column} = ? OR substr({column}, 1, ?) = ? || '/'",
                (new, len(old) + 1, old, len(old) + 1, old),
            )


def _probe(path: Path) -> str:
    with path.open("rb") as stream:  # an honest error for permissions, before SQLite's "unable to open"
        stream.read(1)
    for place in (path, path.parent):  # SQLite's journal lies beside the file
        if not os.access(place, os.W_OK):
            raise _wrong(place, "is read-only", f"Give yourself write permission: chmod u+w {place.name}")
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=WAIT)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            revisions = [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            raise _explained(path, error) from error
    if not tables >= _NEEDED or len(revisions) != 1:
        raise _wrong(path, "is an SQLite database, but not MLflow's, or one whose making was cut short", _RESTORE)
    return str(revisions[0])


def _explained(path: Path, error: sqlite3.OperationalError) -> Exception:
    text = str(error)
    if "locked" in text or "busy" in text:
        return Busy(text)
    if "no such table" in text:
        return _wrong(path, "is an SQLite database, but not MLflow's", _RESTORE)
    return sqlite3.DatabaseError(text)


def _fresh(path: Path) -> bool:
    """An empty file holds nothing that could be lost; something else's interrupted start leaves one."""
    return not path.exists() or (path.is_file() and path.stat().st_size == 0)


def _make(path: Path, create: Callable[[Path], None]) -> None:
    temporary = path.with_name(f"{path.name}.new")
    for leftover in (temporary, *(temporary.with_name(temporary.name + end) for end in ("-journal", "-wal", "-shm"))):
        remove(leftover)
    create(temporary)
    failpoint("track.schema")  # K34: the schema is made, the database is not in place yet
    flush(temporary)
    temporary.replace(path)
    flush(path.parent)


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Let one process at a time make the database; the kernel frees the lock of one that dies."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _wrong(lock, f"cannot be made: {error.strerror}", "Check the permissions of its folder.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


_RESTORE = "Restore it from a backup, or move it away: `dvc repro` makes a new one and records the current model in it."


def _wrong(path: Path, rule: str, remedy: str) -> ServiceError:
    return ServiceError([Fault(str(path), rule, None, remedy)])
