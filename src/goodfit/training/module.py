"""The training as Lightning sees it: Lightning counts epochs and restores; the steps are ours.

Lightning's own loop costs 2.3 to 2.6 times a hand-written one on small networks. So its "data loader" yields one item
per epoch, and `training_step` walks through all batches of that epoch.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

from goodfit.stage import failpoint
from goodfit.training.population.group import Group
from goodfit.training.recipe import Epoch
from goodfit.training.sealed import IDENTITY, checkpoint_path
from goodfit.training.seeds import derived

GROUP = "goodfit.group"


class EpochTicks:
    """Lightning's data loader: one item per epoch, and nothing in it."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Tensor]:
        yield torch.zeros(())


class TrainingModule(LightningModule):
    """One fit of one member, epoch by epoch.

    Args:
        group: the member, as a population of one.
        folder: where checkpoints go, or None for none.
        identity: digest of everything that determines the result; stored with each checkpoint.
        report: called after each epoch, once it is durable.
    """

    def __init__(self, group: Group, folder: Path | None, identity: str, report: Callable[[Epoch], None]) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.group = group
        self.standing = group.standings[0]
        self.folder = folder
        self.identity = identity
        self.report = report

    @property
    def epochs(self) -> list[Epoch]:
        """Every epoch so far."""
        return self.standing.history.epochs

    def configure_optimizers(self) -> None:
        """Leave the stepping to the group."""

    def on_fit_start(self) -> None:
        """Report again what a checkpoint brought."""
        for epoch in self.epochs:
            self.report(epoch)

    def on_train_start(self) -> None:
        """Stop at once where a resumed fit had already met its end."""
        self._stop_if_due()

    def training_step(self, *_: Any) -> None:
        """Run one epoch, watch it, remember it.

        Raises:
            DivergedError: a loss is not finite.
        """
        number = len(self.epochs) + 1
        torch.manual_seed(derived(self.standing.candidate.seed, "epoch", number))
        self.group.epoch()
        if self.standing.failure is not None:
            raise self.standing.failure

    def on_train_epoch_end(self) -> None:
        """Make the epoch durable, then report it."""
        epoch = self.epochs[-1]
        if self.folder is not None:
            self.trainer.save_checkpoint(checkpoint_path(self.folder, epoch.number), weights_only=False)
        failpoint("training.epoch")  # an epoch is durable, nobody has heard of it
        self.report(epoch)
        self._stop_if_due()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what Lightning does not know."""
        checkpoint[IDENTITY] = self.identity
        checkpoint[GROUP] = self.group.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the training where it was left."""
        self.group.load_state_dict(checkpoint[GROUP])

    def _stop_if_due(self) -> None:
        self.trainer.should_stop = bool(self.epochs) and self.standing.ends()
