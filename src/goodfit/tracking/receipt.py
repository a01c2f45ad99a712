"""Whether nothing has changed since the last `record`: asked of SQLite itself, in milliseconds, without MLflow."""

import sqlite3
from contextlib import closing
from pathlib import Path

from goodfit.files import read_json, write_json
from goodfit.tracking.outbox import outboxes
from goodfit.tracking.section import sqlite_path

RECEIPT = Path(".goodfit/recorded.json")
RECORDED = "goodfit.recorded"
CURRENT = "goodfit.current"

_TAGS = """
SELECT tags.key, tags.value, runs.artifact_uri FROM runs JOIN tags ON tags.run_uuid = runs.run_uuid
WHERE runs.run_uuid = ? AND runs.lifecycle_stage = 'active' AND runs.status != 'RUNNING' AND tags.key IN (?, ?)
"""
_OTHERS = """
SELECT count(*) FROM runs LEFT JOIN tags ON tags.run_uuid = runs.run_uuid AND tags.key = ?
WHERE runs.run_uuid != ? AND runs.lifecycle_stage = 'active' AND (runs.status = 'RUNNING' OR tags.value = 'true')
AND runs.experiment_id = (SELECT experiment_id FROM runs WHERE run_uuid = ?)
"""


def still_true(root: Path, uri: str, digest: str) -> str | None:
    """Return the current run's id when the tracker certainly agrees with the workspace; None when it must be asked."""
    path = sqlite_path(uri)
    try:
        receipt = read_json(root / RECEIPT)
        if path is None or receipt["uri"] != uri or receipt["digest"] != digest:
            return None
        if any(outbox.waiting() for outbox in outboxes(root)):
            return None
        return receipt["run_id"] if _agrees(path, receipt["run_id"], digest) else None
    except (OSError, ValueError, KeyError, TypeError, sqlite3.Error):
        return None


def keep_receipt(root: Path, uri: str, digest: str, run_id: str) -> None:
    """Note that the tracker agrees with the workspace; a URI with a password is not noted."""
    if sqlite_path(uri) is not None:
        write_json(root / RECEIPT, {"uri": uri, "digest": digest, "run_id": run_id})


def _agrees(path: Path, run_id: str, digest: str) -> bool:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0)) as connection:
        rows = connection.execute(_TAGS, (run_id, RECORDED, CURRENT)).fetchall()
        others = connection.execute(_OTHERS, (CURRENT, run_id, run_id)).fetchone()[0]
    tags = {name: value for name, value, _ in rows}
    there = all(not uri.startswith("/") or Path(uri).is_dir() for _, _, uri in rows)
    return tags == {RECORDED: digest, CURRENT: "true"} and others == 0 and there
