"""When a population is written down, and where."""

import time
from pathlib import Path
from typing import Any

from goodfit.training.sealed import IDENTITY, checkpoint_path, load_sealed, newest_sound, resumable, save_sealed

SHARE = 0.03
"""Of the time, at most, that goes into checkpoints; while it allows for one, each epoch has one."""
FIRST = 0.05
"""Seconds that the first checkpoint is thought to take."""


class Keeper:
    """Writes the state of a population after an epoch, as often as its share of the time allows.

    Args:
        folder: for checkpoints, or None to keep nothing.
        identity: digest of everything that determines the result.
    """

    def __init__(self, folder: Path | None, identity: str) -> None:
        self.folder = folder
        self.identity = identity
        self.cost = FIRST
        self.last = time.perf_counter()

    def restored(self) -> dict[str, Any] | None:
        """Return the newest sound state of this very population."""
        path = resumable(self.folder, self.identity) if self.folder is not None else None
        return load_sealed(path) if path is not None else None

    def due(self) -> bool:
        """Return whether it is time to write, or nothing is written and so nothing is waited for."""
        return self.folder is None or time.perf_counter() - self.last >= self.cost * (1 / SHARE - 1)

    def write(self, epoch: int, state: dict[str, Any]) -> None:
        """Write the state after an epoch durably."""
        if self.folder is None:
            return
        began = time.perf_counter()
        save_sealed(checkpoint_path(self.folder, epoch), {IDENTITY: self.identity, **state})
        self.last = time.perf_counter()
        self.cost = self.last - began


def checkpoint_in(folder: Path) -> dict[str, Any] | None:
    """Return the newest sound state of whatever population wrote to a folder."""
    path = newest_sound(folder)
    return load_sealed(path) if path is not None else None
