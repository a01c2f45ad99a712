"""What goodfit keeps in a workspace: the lease, the completion manifests, temporary files."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil

from goodfit.doctor.finding import Finding
from goodfit.errors import ConfigurationError, MachineError
from goodfit.files import digest_of_path, remove
from goodfit.params import read_yaml
from goodfit.stage.graph import read_graph
from goodfit.stage.lease import lease
from goodfit.stage.manifest import read_manifest
from goodfit.stage.protocol import LEASE

FOLDERS = ("data", "reports", "models", "artifacts", ".goodfit")
TEMPORARY = re.compile(r"^\..+\.(?P<pid>\d+)\.tmp$")


def examine_lease(root: Path) -> Iterator[Finding]:
    """Look whether a stage is running here."""
    try:
        with lease(root / LEASE, "doctor", patience=0.0):
            yield Finding("lease", True, "free")
    except MachineError as error:
        yield Finding("lease", True, str(error))


def examine_manifests(root: Path) -> Iterator[Finding]:
    """Compare each stage's completion manifest with the files it vouches for and with dvc.lock.

    Outputs that DVC restored or pulled have no manifest, or another result's: for those dvc.lock vouches.
    """
    wrong = []
    try:
        graph = read_graph(root)
        locked = read_yaml(root / "dvc.lock").get("stages", {}) if (root / "dvc.lock").exists() else {}
    except ConfigurationError:
        return  # examine_lock_file says so
    for name in graph:
        wrong += _unvouched(root, name, {out["path"]: out["md5"] for out in locked.get(name, {}).get("outs", [])})
    detail = (
        f"{', '.join(wrong)} no longer as the stage wrote them: run dvc repro" if wrong else "outputs are as written"
    )
    yield Finding("manifests", not wrong, detail)


def _unvouched(root: Path, stage: str, locked: dict[str, str]) -> list[str]:
    manifest = read_manifest(root, stage)
    vouched = manifest.outputs if manifest else {}
    present = [path for path in locked if (root / path).exists()]
    return [path for path in present if digest_of_path(root / path) not in (locked[path], vouched.get(path))]


def examine_litter(root: Path) -> Iterator[Finding]:
    """Look for temporary files of processes that are gone."""
    litter = [path for folder in FOLDERS for path in (root / folder).rglob(".*.tmp") if _abandoned(path)]
    detail = f"{len(litter)} temporary files of processes that are gone; removed" if litter else "none"
    yield Finding("temporary files", not litter, detail, partial(_remove_all, litter) if litter else None)


def _remove_all(paths: list[Path]) -> None:
    for path in paths:
        remove(path)


def _abandoned(path: Path) -> bool:
    match = TEMPORARY.match(path.name)
    return match is not None and not psutil.pid_exists(int(match["pid"]))
