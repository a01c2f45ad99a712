"""The one door to MLflow: opens a store, and tells what cannot work from what does not answer just now."""

import logging
import os
import socket
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from goodfit.errors import Fault, ServiceError, shorten
from goodfit.files import digest_of_value
from goodfit.tracking import admission, database
from goodfit.tracking.redaction import redact
from goodfit.tracking.section import DATABASES, sqlite_path
from goodfit.tracking.template import copied_or_made

if TYPE_CHECKING:
    from mlflow import MlflowClient

TIMEOUT = 5
"""Seconds that one call to a tracking server may take."""
ARTIFACTS = "mlartifacts"
"""Folder beside an SQLite database that holds its artifacts."""
_SETTINGS = {
    # MLflow's own retries repeat a POST whose reply was lost, which makes two runs of one: we search first, then retry.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": str(TIMEOUT),
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_TRUNCATE_LONG_VALUES": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOG_UV_FILES": "false",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_WORKSPACES": "false",
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
}
_INHERITED = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_ACTIVE_MODEL_ID")
_CONTENTION = ("database is locked", "UNIQUE constraint failed", "duplicate key value violates unique constraint")
"""What SQLite and PostgreSQL say; MLflow looks before it inserts a tag, and two processes look at once."""
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}


class Outage(Exception):
    """The store does not answer, or answers with a failure that may pass; nothing is wrong with what was sent."""


class Contention(Outage):
    """Another process is at the database, or wrote the same row first; asked again soon, the store answers."""


class Rejection(Exception):
    """The store will never take this operation."""


class Vanished(Exception):
    """A run that was known is no longer in the store."""


def check(uri: str) -> None:
    """Refuse at once, without MLflow's slow import, a database file that can never work.

    Raises:
        ServiceError: see `database.inspect`.
    """
    path = sqlite_path(uri)
    if path is not None and path.exists() and not (path.is_file() and path.stat().st_size == 0):
        database.inspect(path)


def connect(uri: str) -> "MlflowClient":
    """Return a client of the store; a new SQLite database is made first.

    Raises:
        ServiceError: the store is there and cannot be used.
        Outage: it does not answer.
    """
    _knock(uri)
    isolate()
    with answering():
        from mlflow import MlflowClient

        path = sqlite_path(uri)
        if path is not None:
            database.prepare(path, _create)
        if urlsplit(uri).scheme.partition("+")[0] not in DATABASES:
            return MlflowClient(tracking_uri=uri, registry_uri=uri)
        admission.ask(uri)
        lock = f"goodfit-{os.getuid()}-{digest_of_value(redact(uri))[:16]}.lock"
        with database.exclusive(Path(tempfile.gettempdir()) / lock):  # the first client makes the schema
            return MlflowClient(tracking_uri=uri, registry_uri=uri)


def database_of(client: "MlflowClient") -> Any:
    """Return MLflow's store when it is a database that this process writes to itself; None for a server."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = client._tracking_client.store
    return store if isinstance(store, SqlAlchemyStore) else None


def isolate() -> None:
    """Set, for this process only, what MLflow reads from the environment; drop what another run left there."""
    os.environ.update(_SETTINGS)
    for name in _INHERITED:
        os.environ.pop(name, None)
    import mlflow.store.db.utils

    mlflow.store.db.utils.MAX_RETRY_COUNT = 1  # ten retries are 100 s of sleep
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", module=rf"{name}\b")  # about MLflow's own code; the user can do nothing


@contextmanager
def answering() -> Iterator[None]:
    """Translate what MLflow and the libraries under it raise."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (ServiceError, Outage, Rejection, Vanished):
        raise
    except MlflowException as error:
        raise _translated(error) from error
    except (OSError, sqlite3.Error, SQLAlchemyError, JSONDecodeError) as error:  # requests' errors are OSErrors
        raise _unanswered(error) from error


def experiment_id(client: "MlflowClient", name: str, uri: str) -> str:
    """Return the experiment's id; it is made, or restored if someone deleted it, when it is not there.

    Raises:
        Outage: the store does not answer.
    """
    with answering():
        found = client.get_experiment_by_name(name)
        if found is None:
            return _create_experiment(client, name, uri)
        if found.lifecycle_stage != "active":
            client.restore_experiment(found.experiment_id)
        _follow_move(uri, found.artifact_location)
        return str(found.experiment_id)


def reason(error: BaseException) -> str:
    """Return why a store failed, on one line, short and without secrets."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = redact(lines[0] if lines else type(error).__name__)
    return shorten(text.rpartition("failed with exception ")[2], 200).strip("'")


def _create_experiment(client: "MlflowClient", name: str, uri: str) -> str:
    from mlflow.exceptions import MlflowException

    path = sqlite_path(uri)
    location = str(path.parent / ARTIFACTS) if path else None
    try:
        return str(client.create_experiment(name, artifact_location=location))
    except MlflowException:
        found = client.get_experiment_by_name(name)  # made by another process, or our reply was lost
        if found is None:
            raise
        return str(found.experiment_id)


def _follow_move(uri: str, location: str) -> None:
    """After the project was moved or copied, its runs' artifacts lie beside the database, not where they were."""
    path = sqlite_path(uri)
    if path and location != str(path.parent / ARTIFACTS) and location.endswith(f"/{ARTIFACTS}"):
        database.relocate(path, location, str(path.parent / ARTIFACTS))


def _create(path: Path) -> None:
    copied_or_made(path, str(path.parent / ARTIFACTS), _migrate, version("mlflow"))


def _migrate(path: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    uri = f"sqlite:///{path}"
    store: Any = SqlAlchemyStore(uri, str(path.parent / ARTIFACTS))  # type: ignore[no-untyped-call]
    store.engine.dispose()
    SqlAlchemyStore._engine_map.pop(uri, None)


def _translated(error: Any) -> Exception:
    if error.error_code == "RESOURCE_DOES_NOT_EXIST":
        return Vanished(reason(error))
    if error.error_code in ("INVALID_PARAMETER_VALUE", "RESOURCE_ALREADY_EXISTS"):
        return Rejection(reason(error))
    if "out-of-date database schema" in str(error) or "Can't locate revision" in str(error):
        return ServiceError([_schema_fault(str(error))])
    return _unanswered(error)


def _unanswered(error: BaseException) -> Outage:
    text = str(error)
    return (Contention if any(sign in text for sign in _CONTENTION) else Outage)(reason(error))


def _schema_fault(text: str) -> Fault:
    remedy = "Back it up, then run `mlflow db upgrade`; if a newer MLflow wrote it, install that MLflow."
    return Fault("tracking database", "has another version's schema", reason(Exception(text)), remedy)


def _knock(uri: str) -> None:
    """Fail within seconds when nothing listens: the drivers would try for minutes."""
    parts = urlsplit(uri)
    default = _PORTS.get(parts.scheme.partition("+")[0])
    if default is None or not parts.hostname:
        return
    try:
        socket.create_connection((parts.hostname, parts.port or default), timeout=3).close()
    except OSError as error:
        raise Outage(f"{parts.hostname}:{parts.port or default} does not answer: {reason(error)}") from error
