"""The completion manifest: written last, fsynced, with every output's hash. Without it no stage has succeeded."""

from dataclasses import dataclass
from pathlib import Path

from goodfit.errors import DataError, Fault
from goodfit.files import digest_of_path, read_json, remove, write_json

FOLDER = Path(".goodfit/manifests")


@dataclass(frozen=True)
class Manifest:
    """What a stage wrote, by path and md5, and the key of what determined it."""

    stage: str
    key: str
    outputs: dict[str, str]


def manifest_path(root: Path, stage: str) -> Path:
    """Return where a stage's manifest lies."""
    return root / FOLDER / f"{stage}.json"


def forget(root: Path, stage: str) -> None:
    """Remove the manifest of an earlier run: from here on the stage is unfinished."""
    remove(manifest_path(root, stage))


def complete(root: Path, stage: str, key: str, outputs: tuple[str, ...]) -> Manifest:
    """Hash every output and write the manifest.

    Raises:
        DataError: the stage did not write an output that dvc.yaml declares.
    """
    lacking = [path for path in outputs if not (root / path).exists()]
    if lacking:
        raise DataError([Fault(path, f"stage '{stage}' declares this output and did not write it") for path in lacking])
    manifest = Manifest(stage, key, {path: digest_of_path(root / path) for path in outputs})
    write_json(manifest_path(root, stage), {"stage": stage, "key": key, "outputs": manifest.outputs})
    return manifest


def read_manifest(root: Path, stage: str) -> Manifest | None:
    """Return a stage's manifest, or None when there is none or it is damaged."""
    try:
        value = read_json(manifest_path(root, stage))
        return Manifest(value["stage"], value["key"], value["outputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
