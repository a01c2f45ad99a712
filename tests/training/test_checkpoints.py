"""A checkpoint is whole or it is passed over."""

import hashlib
import os
import resource
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from goodfit.errors import ServiceError
from goodfit.training.checkpoints import SealedCheckpoints
from goodfit.training.sealed import IDENTITY, checkpoint_path, newest_sound, resumable

STORE = SealedCheckpoints()
LARGE = {"more": torch.zeros(1 << 20)}
OTHER_DISK = Path("/dev/shm")


def content(epoch: int) -> dict[str, Any]:
    return {IDENTITY: "this", "epoch": epoch, "state_dict": {"weight": torch.full((1000,), float(epoch))}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for epoch in (1, 2, 3):
        STORE.save_checkpoint(content(epoch), checkpoint_path(tmp_path, epoch))
    return tmp_path


def newest_epoch(folder: Path) -> int | None:
    path = newest_sound(folder)
    return None if path is None else int(STORE.load_checkpoint(path)["epoch"])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_two_are_kept_with_their_seals_and_nothing_else(folder: Path) -> None:
    assert names(folder) == [
        "epoch-000002.pt",
        "epoch-000002.pt.sha256",
        "epoch-000003.pt",
        "epoch-000003.pt.sha256",
    ]
    newest = checkpoint_path(folder, 3)
    assert hashlib.sha256(newest.read_bytes()).hexdigest() == Path(f"{newest}.sha256").read_text()
    assert newest_epoch(folder) == 3


def truncated(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(torch.full((4,), 3.0).numpy().tobytes()) + 2] ^= 1
    path.write_bytes(data)


DAMAGE = {
    "empty": lambda path: truncated(path, 0.0),
    "half": lambda path: truncated(path, 0.5),
    "all but one in a hundred": lambda path: truncated(path, 0.99),
    "one bit": flipped,
    "no seal": lambda path: Path(f"{path}.sha256").unlink(),
    "torn seal": lambda path: truncated(Path(f"{path}.sha256"), 0.5),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(folder: Path, damage: str) -> None:
    DAMAGE[damage](checkpoint_path(folder, 3))
    assert newest_epoch(folder) == 2
    DAMAGE[damage](checkpoint_path(folder, 2)) if damage != "one bit" else truncated(checkpoint_path(folder, 2), 0.5)
    assert newest_epoch(folder) is None


def test_trap_a_bit_flip_loads_silently_without_a_seal(folder: Path) -> None:
    newest = checkpoint_path(folder, 3)
    flipped(newest)
    loaded = TorchCheckpointIO().load_checkpoint(newest, weights_only=True)
    assert not bool((loaded["state_dict"]["weight"] == 3.0).all())
    assert newest_sound(folder) == checkpoint_path(folder, 2)


def test_a_full_disk_leaves_the_previous_checkpoint(tmp_path: Path, full_disk: Callable[[], None]) -> None:
    STORE.save_checkpoint(content(1), checkpoint_path(tmp_path, 1))
    full_disk()
    with pytest.raises(ServiceError, match="Free disk space"):
        STORE.save_checkpoint(content(2) | LARGE, checkpoint_path(tmp_path, 2))
    assert newest_epoch(tmp_path) == 1
    assert names(tmp_path) == ["epoch-000001.pt", "epoch-000001.pt.sha256"]


@pytest.mark.skipif(not OTHER_DISK.is_dir(), reason="needs a second file system")
def test_trap_lightnings_writer_destroys_the_previous_one_there(
    tmp_path: Path, full_disk: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if OTHER_DISK.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    path = tmp_path / "last.ckpt"
    TorchCheckpointIO().save_checkpoint(content(1), path)
    move = shutil.move

    def fill_then_move(source: Any, target: Any) -> Any:
        full_disk()
        return move(source, target)

    monkeypatch.setattr(tempfile, "tempdir", str(OTHER_DISK))
    monkeypatch.setattr(shutil, "move", fill_then_move)
    with pytest.raises(OSError, match="File too large"):
        TorchCheckpointIO().save_checkpoint(content(2) | LARGE, path)
    with pytest.raises(RuntimeError):
        torch.load(path, weights_only=True)


@pytest.fixture
def full_disk() -> Iterator[Callable[[], None]]:
    """Return a call after which no file can grow beyond 1 MiB."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_what_an_ended_writer_left_is_removed(folder: Path) -> None:
    (folder / f".epoch-000004.pt.{os.getpid()}.tmp").write_bytes(b"half")
    assert newest_epoch(folder) == 3
    assert not list(folder.glob(".*"))


def test_only_tensors_and_plain_values_are_read(tmp_path: Path) -> None:
    path, canary = tmp_path / "epoch-000001.pt", tmp_path / "canary"

    class Poison:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {canary}",)

    torch.save({IDENTITY: "this", "epoch": Poison()}, path)
    Path(f"{path}.sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest())
    shutil.copy(path, tmp_path / "poison")
    with pytest.raises(Exception, match="Weights only load failed"):
        STORE.load_checkpoint(path, weights_only=False)
    assert resumable(tmp_path, "this") is None
    assert not canary.exists()
    torch.load(tmp_path / "poison", weights_only=False)  # the poison is real
    assert canary.exists()


def test_a_checkpoint_of_another_fit_is_not_resumed(folder: Path) -> None:
    assert resumable(folder, "this") == checkpoint_path(folder, 3)
    assert resumable(folder, "other") is None
    assert names(folder) == []
