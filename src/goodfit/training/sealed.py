"""Checkpoints that are whole or refused: same folder, fsync, rename, fsync the folder, SHA-256 beside it, two kept.

Lightning's own writer is not atomic when TMPDIR is another file system, and a bit flip in the weights loads silently.
"""

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from goodfit.errors import Fault, ServiceError
from goodfit.files import replacing, write_text
from goodfit.stage import failpoint

KEPT = 2
REMEDY = "Free disk space or allow writing there; the fit goes on from the checkpoint before."
IDENTITY = "goodfit.identity"
"""The digest of everything that determines a fit's result, under this key of its checkpoints."""


def save_sealed(target: Path, checkpoint: dict[str, Any]) -> None:
    """Write one checkpoint durably, seal it, then let go of all but the newest two.

    Raises:
        ServiceError: the disk is full or not writable; the checkpoints before this one are untouched.
    """
    content = _serialized(checkpoint)
    try:
        _write(target, content)
        failpoint("checkpoint.written")  # the checkpoint is there, its seal is not
        write_text(_seal(target), hashlib.sha256(content).hexdigest())
        for old in _numbered(target.parent)[:-KEPT]:
            remove_sealed(old)
    except OSError as error:
        raise ServiceError([Fault(str(target), f"cannot be written: {error.strerror}", None, REMEDY)]) from error


def load_sealed(path: Path, map_location: Any = None) -> dict[str, Any]:
    """Read a checkpoint that `newest_sound` named; never anything but tensors and plain values."""
    loaded: dict[str, Any] = torch.load(path, map_location=map_location or "cpu", weights_only=True)
    return loaded


def remove_sealed(path: Path) -> None:
    """Remove a checkpoint and its seal, the seal first, so that nothing half-removed looks sound."""
    _seal(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def checkpoint_path(folder: Path, epoch: int) -> Path:
    """Return where the checkpoint after `epoch` finished epochs lies."""
    return folder / f"epoch-{epoch:06d}.pt"


def resumable(folder: Path, identity: str) -> Path | None:
    """Return the newest sound checkpoint of this very fit; one of another fit is removed with all its kin."""
    path = newest_sound(folder)
    if path is None or _identity(path) == identity:
        return path
    for alien in _numbered(folder):
        remove_sealed(alien)
    return None


def newest_sound(folder: Path) -> Path | None:
    """Return the newest checkpoint whose bytes match its seal; a torn, flipped or unsealed one is passed over.

    What an ended writer left half-done is removed on the way.
    """
    for litter in folder.glob(".*.tmp"):
        litter.unlink(missing_ok=True)
    return next((path for path in reversed(_numbered(folder)) if _is_sound(path)), None)


def _identity(path: Path) -> str | None:
    try:
        found = load_sealed(path).get(IDENTITY)
    except Exception:  # of another version, say: whatever is wrong with it, it is no checkpoint of this fit
        return None
    return found if isinstance(found, str) else None


def _is_sound(path: Path) -> bool:
    try:
        sealed = _seal(path).read_text(encoding="ascii", errors="replace").strip()
        return hashlib.sha256(path.read_bytes()).hexdigest() == sealed
    except OSError:
        return False


def _serialized(checkpoint: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    torch.save(checkpoint, stream)
    return stream.getvalue()


def _write(target: Path, content: bytes) -> None:
    with replacing(target) as temporary, temporary.open("wb") as stream:
        half = len(content) // 2
        stream.write(content[:half])
        stream.flush()
        failpoint("checkpoint.writing")  # half of the bytes are on their way
        stream.write(content[half:])


def _seal(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _numbered(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*.pt"))
