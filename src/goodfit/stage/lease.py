"""One stage at a time in a workspace. The kernel holds the lock, so a dead or reused process id cannot."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from goodfit.errors import Fault, MachineError
from goodfit.stage.owner import Owner

PATIENCE = 4.0
"""Seconds to wait for a stage whose parent has just died and that is about to go."""


@contextmanager
def lease(path: Path, name: str, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the workspace's lease while the block runs.

    Raises:
        MachineError: another live process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, path, patience)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{name}\n{Owner.me()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise _busy(path) from None
            time.sleep(0.05)


def _busy(path: Path) -> MachineError:
    name, _, rest = path.read_text(errors="replace").partition("\n")
    owner = Owner.parse(rest.strip())
    pid = owner.pid if owner else "unknown"
    remedy = f"Wait until it ends, or stop it: kill {pid}"
    return MachineError([Fault(str(path), f"stage '{name}' is running in this workspace, process {pid}", None, remedy)])
