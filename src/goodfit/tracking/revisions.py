"""Which schema the installed MLflow expects, read from its migrations without importing it."""

import importlib.util
import re
from functools import lru_cache
from pathlib import Path

from goodfit.errors import Fault, ServiceError

_REVISION = re.compile(r"^revision(?:\s*:[^=]+)?\s*=\s*[\"']([^\"']+)[\"']", re.MULTILINE)
_PARENT = re.compile(r"^down_revision(?:\s*:[^=]+)?\s*=\s*[\"']([^\"']+)[\"']", re.MULTILINE)


def check_revision(path: Path, revision: str) -> None:
    """Refuse a database whose schema another version of MLflow wrote.

    Raises:
        ServiceError: older or newer than the installed MLflow expects.
    """
    known, head = _migrations()
    if head is None or revision == head:
        return
    if revision in known:
        remedy = f"Back it up, then run: mlflow db upgrade sqlite:///{path}"
        raise ServiceError([Fault(str(path), "has the schema of an older MLflow", revision, remedy)])
    remedy = "Install the MLflow that wrote it, or move the file away: dvc repro makes a new one."
    raise ServiceError([Fault(str(path), "has the schema of a newer MLflow than the one installed", revision, remedy)])


@lru_cache
def _migrations() -> tuple[frozenset[str], str | None]:
    """Return every revision that the installed MLflow knows, and the newest; None when its layout is another one."""
    package = importlib.util.find_spec("mlflow")
    if package is None or package.origin is None:
        return frozenset(), None
    folder = Path(package.origin).parent / "store" / "db_migrations" / "versions"
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    known = frozenset(match for text in texts for match in _REVISION.findall(text))
    heads = known - {match for text in texts for match in _PARENT.findall(text)}
    return known, next(iter(heads)) if len(heads) == 1 else None
