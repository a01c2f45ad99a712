"""What ties a run to its data, its settings and its code: `run.json`, and the same as tags."""

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from goodfit.files import digest_of_file, digest_of_value, read_json
from goodfit.stage.manifest import read_manifest
from goodfit.tracking.redaction import redact_values

WRITTEN = ("dvc.lock", "metrics.json", "run.json", "reports", "artifacts", "models", "data")
"""What the pipeline itself writes; a change there does not make the tree dirty."""
SEARCH_OUTPUTS = ("artifacts/best.yaml", "reports/trials.csv")


def run_record(
    root: Path,
    *,
    attempt: str,
    experiment: str,
    params: Mapping[str, Any],
    inputs: Mapping[str, str],
    search: str | None = None,
    run_id: str | None = None,
    figures: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return the content of `run.json`.

    Args:
        root: the workspace.
        attempt: the training stage's key, by which the run is found again on any tracker.
        experiment: `tracking.experiment`.
        params: every resolved option by dotted name, overrides of the search included.
        inputs: path to DVC md5.
        search: the attempt of the search, if there was one.
        run_id: MLflow's id; None while the tracker has not answered.
        figures: single metrics of the training, such as cost/seconds, so that a lost run can be made again with them.
    """
    commit, dirty = git_state(root)
    return {
        "run_id": run_id,
        "attempt": attempt,
        "search": search,
        "experiment": experiment,
        "params": redact_values(params),
        "params_digest": digest_of_value(dict(params)),
        "git_commit": commit,
        "git_dirty": dirty,
        "inputs": dict(inputs),
        "figures": dict(figures or {}),
        "created": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }


def record_tags(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags that a run record stands for."""
    tags = {
        "goodfit.params_digest": record["params_digest"],
        "goodfit.git_commit": record["git_commit"] or "none",
        "goodfit.git_dirty": "unknown" if record["git_dirty"] is None else str(record["git_dirty"]).lower(),
    }
    return tags | {f"dvc.{path}.md5": digest for path, digest in record["inputs"].items()}


def search_attempt(root: Path) -> str | None:
    """Return the attempt of the search whose results lie in the workspace; None when it cannot be told.

    The manifest of the last search speaks for the files only while they are the ones it wrote: DVC may have restored
    those of another search since.
    """
    manifest = read_manifest(root, "tune")
    if manifest is None:
        return None
    for name in SEARCH_OUTPUTS:
        path = root / name
        if name in manifest.outputs and (not path.exists() or digest_of_file(path) != manifest.outputs[name]):
            return None
    return manifest.key


def git_state(root: Path) -> tuple[str | None, bool | None]:
    """Return the commit and whether the tree differs from it; (None, None) where there is no git or no commit."""
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None, None
    changes = _git(root, "status", "--porcelain", "--", ".", *(f":(exclude){path}" for path in WRITTEN))
    return commit, None if changes is None else bool(changes)


def read_record(root: Path) -> dict[str, Any] | None:
    """Return the content of the workspace's run.json, None when there is none that can be used."""
    try:
        record = read_json(root / "run.json")
        return record if isinstance(record, dict) and record.get("attempt") else None
    except (OSError, ValueError):
        return None


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
