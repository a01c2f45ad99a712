"""What a member's training has come to so far: its epochs, and which weights are kept. A crash must not lose it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from goodfit.training.recipe import Epoch, judged_by


@dataclass
class History:
    """Epochs in order, the index of the kept one (-1: none yet), and once the training is over its weights: of one
    network, or of several that predict together."""

    epochs: list[Epoch] = field(default_factory=list)
    kept: int = -1
    kept_states: list[dict[str, Tensor]] = field(default_factory=list)
    cpu_seconds: float = 0.0

    @property
    def losses(self) -> list[float]:
        """The validation loss after each epoch."""
        return [epoch.metrics["valid/loss"] for epoch in self.epochs]

    @property
    def judged(self) -> float:
        """What the last epoch is judged by (see `judged_by`)."""
        metrics = self.epochs[-1].metrics
        return metrics[judged_by(metrics)]

    @property
    def seconds(self) -> float:
        """Wall time of all epochs."""
        return sum(epoch.seconds for epoch in self.epochs)

    def add(self, epoch: Epoch, kept: int) -> None:
        """Add an epoch; `kept` is the index of the epoch to keep, this one or the one that was kept until now.

        Raises:
            RuntimeError: the weights of epoch `kept` are gone, because a regularizer changed its mind about the past.
        """
        self.epochs.append(epoch)
        newest = len(self.epochs) - 1
        if kept not in (newest, self.kept):
            raise RuntimeError(f"epoch {kept + 1} shall be kept, and epoch {self.kept + 1} was kept until now")
        self.kept = kept

    def to_dict(self) -> dict[str, Any]:
        """Return plain values and tensors, as a checkpoint holds them."""
        epochs = [{"number": e.number, "metrics": dict(e.metrics), "seconds": e.seconds} for e in self.epochs]
        return {"epochs": epochs, "kept": self.kept, "kept_states": self.kept_states, "cpu_seconds": self.cpu_seconds}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "History":
        """Rebuild a history; its epochs are marked as restored."""
        epochs = [Epoch(**epoch, restored=True) for epoch in value["epochs"]]
        return cls(epochs, value["kept"], value["kept_states"], value["cpu_seconds"])
