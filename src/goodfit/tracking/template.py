"""A new database as a copy of an empty one that MLflow made earlier on this machine: its migrations take seconds."""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from goodfit.errors import ServiceError
from goodfit.files import remove
from goodfit.tracking.database import inspect, relocate

ROOT = "artifacts-of-the-copy"
"""Stands in the template where a database names the folder of its artifacts."""


def copied_or_made(path: Path, artifacts: str, create: Callable[[Path], None], release: str) -> None:
    """Write a complete, empty database: by a copy where there is a sound template, else by `create`, and keep that.

    A template that is missing, damaged, of another schema or not to be read or written costs time and nothing else.

    Args:
        path: where to.
        artifacts: the folder of its artifacts, as `create` writes it into the database.
        create: lets MLflow make it.
        release: MLflow's; each has a template of its own.
    """
    template = cache_folder() / f"mlflow-{release}.db"
    if _copied(template, path):
        relocate(path, ROOT, artifacts)
        return
    create(path)
    with suppress(OSError):
        _keep(path, template, artifacts)


def cache_folder() -> Path:
    """Return the user's folder for what can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "goodfit"


def _copied(template: Path, path: Path) -> bool:
    try:
        shutil.copyfile(template, path)
        if inspect(path) is not None:
            return True
    except (OSError, ServiceError):
        pass
    remove(path)
    return False


def _keep(path: Path, template: Path, artifacts: str) -> None:
    template.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=template.parent) as folder:
        draft = Path(folder) / "draft.db"
        shutil.copyfile(path, draft)
        relocate(draft, artifacts, ROOT)
        draft.replace(template)
