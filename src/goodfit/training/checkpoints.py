"""Sealed checkpoints as Lightning's Trainer writes and reads them."""

from pathlib import Path
from typing import Any

from pytorch_lightning.plugins.io import CheckpointIO

from goodfit.training.sealed import load_sealed, remove_sealed, save_sealed


class SealedCheckpoints(CheckpointIO):
    """Writes `epoch-<n>.pt` and `epoch-<n>.pt.sha256` into one folder; reads only what matches its seal."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """See `save_sealed`."""
        save_sealed(Path(path), checkpoint)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """See `load_sealed`."""
        return load_sealed(path, map_location)

    def remove_checkpoint(self, path: Any) -> None:
        """See `remove_sealed`."""
        remove_sealed(Path(path))
