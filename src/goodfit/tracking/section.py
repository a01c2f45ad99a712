"""The `tracking` section of params.yaml, and the address it stands for."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from goodfit.errors import Fault, ServiceError
from goodfit.registry import Section
from goodfit.tracking.redaction import redact

VARIABLE = "MLFLOW_TRACKING_URI"
DATABASES = ("postgresql", "mysql", "mssql")
SERVERS = ("http", "https")


class TrackingSection(Section):
    """Where runs are kept.

    Options:
        experiment: the MLflow experiment that holds the runs.
        model_name: the name under which models are registered.
        uri: sqlite:///file relative to the project, a database URL or a server's http(s) URL; the environment
            variable MLFLOW_TRACKING_URI comes first.
    """

    experiment: str = Field(min_length=1, max_length=250)
    model_name: str = Field(min_length=1, max_length=250, pattern=r"^[^/:]+$")
    uri: str = "sqlite:///mlflow.db"


def address(section: TrackingSection, root: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Return the absolute tracking URI: MLFLOW_TRACKING_URI if set, else the section's, SQLite paths made absolute.

    Raises:
        ServiceError: a file store, an SQLite database in memory, or a scheme that is not known.
    """
    uri = environment.get(VARIABLE, "").strip() or section.uri
    scheme = urlsplit(uri).scheme
    if scheme == "sqlite":
        return f"sqlite:///{_sqlite_path(uri, root)}"
    if scheme.partition("+")[0] in (*DATABASES, *SERVERS):
        return uri
    raise _unusable(uri, _refusal(scheme))


def sqlite_path(uri: str) -> Path | None:
    """Return the file of an absolute SQLite URI, None for anything else."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def _sqlite_path(uri: str, root: Path) -> Path:
    path = uri.removeprefix("sqlite:///").partition("?")[0]
    if not uri.startswith("sqlite:///") or path in ("", ":memory:"):
        raise _unusable(uri, "an SQLite database must be a file: nothing in memory outlives a stage")
    return (root / path).absolute()


def _refusal(scheme: str) -> str:
    if scheme in ("", "file"):
        return "MLflow's file store loses runs under concurrent writers and is no longer supported by MLflow"
    return f"the scheme '{scheme}' is not a tracking store"


def _unusable(uri: str, rule: str) -> ServiceError:
    place = VARIABLE if os.environ.get(VARIABLE) else "params.yaml: tracking.uri"
    return ServiceError([Fault(place, rule, redact(uri), "Use sqlite:///mlflow.db, a database URL or an http(s) URL.")])
