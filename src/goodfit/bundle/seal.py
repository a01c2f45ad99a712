"""The seal of a bundle: manifest.json, written last, holds the SHA-256 of every other file.

It guards against torn writes, bit flips and mixed files. It is no signature: who can write the folder can write a new
seal, so everything that is read is also checked as untrusted.
"""

import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goodfit.errors import DataError, Fault
from goodfit.files import remove, replacing, write_json
from goodfit.stage import failpoint

MANIFEST = "manifest.json"
RECORD = "bundle.json"
WEIGHTS = "weights.safetensors"
MAX_BYTES = {MANIFEST: 1 << 16, RECORD: 1 << 29, WEIGHTS: 1 << 31}
REMEDY = "Let goodfit write it again: dvc repro train."


def refused(place: Path | str, rule: str) -> DataError:
    """Return the error for a bundle that must not be used."""
    return DataError([Fault(str(place), rule, None, REMEDY)])


def write_sealed(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write the files of a bundle and then its seal; whatever else lies in the folder is removed."""
    for name, content in contents.items():
        _check_size(folder / name, len(content))
    folder.mkdir(parents=True, exist_ok=True)
    remove(folder / MANIFEST)
    for alien in folder.iterdir():
        if alien.name not in contents:
            remove(alien)
    for name, content in sorted(contents.items()):
        with replacing(folder / name) as temporary:
            temporary.write_bytes(content)
        failpoint("bundle.writing")  # K18: one file is there, the seal is not
    write_json(folder / MANIFEST, {"files": {name: _digest(content) for name, content in contents.items()}})


class Sealed:
    """The files of a bundle folder, each read once: the bytes that were checked are the bytes that are used.

    Raises:
        DataError: a file is missing, alien, a link, no plain file, too large, or not what the seal says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _check_listing(folder)
        place = folder / MANIFEST
        digests = parsed(_read(place), place).get("files")
        if not isinstance(digests, dict) or set(digests) != {RECORD, WEIGHTS}:
            raise refused(place, f"must seal exactly {RECORD} and {WEIGHTS}")
        self.digests = digests

    def read(self, name: str) -> bytes:
        """Return the content of one file."""
        content = _read(self.folder / name)
        if self.digests[name] != _digest(content):
            rule = f"is not the file that was sealed: its SHA-256 differs from {MANIFEST}"
            raise refused(self.folder / name, rule)
        return content


def parsed(content: bytes, path: Path) -> dict[str, Any]:
    """Return a JSON object from untrusted bytes: no NaN, no infinity, no bottomless nesting."""
    try:
        value = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise refused(path, f"is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise refused(path, "must hold one JSON object")
    return value


def _check_listing(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir():
        raise refused(folder, "must be the folder of a bundle, and no link")
    found = {entry.name for entry in folder.iterdir()}
    if missing := sorted(set(MAX_BYTES) - found):
        raise refused(folder, f"lacks {', '.join(missing)}")
    if alien := sorted(found - set(MAX_BYTES)):
        raise refused(
            folder / alien[0], f"does not belong into a bundle, which holds only {', '.join(sorted(MAX_BYTES))}"
        )


def _read(path: Path) -> bytes:
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise refused(path, "must be a plain file, neither link nor device")
    _check_size(path, facts.st_size)
    return path.read_bytes()


def _check_size(path: Path, size: int) -> None:
    if size > MAX_BYTES[path.name]:
        raise refused(path, f"has {size:,} bytes, and may have at most {MAX_BYTES[path.name]:,}")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")
