"""The training as Lightning sees it: Lightning counts epochs, places the model and restores; the steps are ours.

Lightning's own loop costs 2.3 to 2.6 times a hand-written one on small networks. So its "data loader" yields one item
per epoch, and `training_step` walks through all batches of that epoch.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

from goodfit.optimizers import OPTIMIZERS
from goodfit.schedules import SCHEDULES
from goodfit.stage import failpoint
from goodfit.training.batches import Batch, batch_sizes, shuffled
from goodfit.training.checkpoints import IDENTITY, checkpoint_path
from goodfit.training.divergence import DivergedError
from goodfit.training.history import History
from goodfit.training.member import Member
from goodfit.training.recipe import Epoch
from goodfit.training.section import TrainingSection
from goodfit.training.seeds import derived

HISTORY = "goodfit.history"


class Rows:
    """All rows of a fit, on the CPU: to train on, to watch the training loss on, to validate on."""

    def __init__(self, train: Batch, valid: Batch, seed: int) -> None:
        self.train = train
        self.valid = valid
        self.watched = train.take(_sample(len(train), len(valid), seed))

    def prepared(self, member: Member, device: torch.device) -> "Rows":
        """Return the rows on a device, with all done to them that needs no parameter."""
        rows = Rows.__new__(Rows)
        rows.train, rows.valid, rows.watched = (
            member.prepared(part.to(device)) for part in (self.train, self.valid, self.watched)
        )
        return rows


class EpochTicks:
    """Lightning's data loader: one item per epoch, and nothing in it."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Tensor]:
        yield torch.zeros(())


class TrainingModule(LightningModule):
    """One fit of one member, epoch by epoch.

    Args:
        member: what is trained.
        section: the `training` section.
        rows: what it is trained and watched on.
        seed: of the fit; each epoch derives its own, so that a resumed fit draws what an undisturbed one draws.
        folder: where checkpoints go, or None for none.
        identity: digest of everything that determines the result; stored with each checkpoint.
        report: called after each epoch, once it is durable.
    """

    def __init__(
        self,
        member: Member,
        section: TrainingSection,
        rows: Rows,
        seed: int,
        folder: Path | None,
        identity: str,
        report: Callable[[Epoch], None],
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = member.model
        self.regularization = member.regularization  # registered, so that its tensors follow the model to its device
        self.member = member
        self.section = section
        self.rows = rows
        self.seed_of_fit = seed
        self.folder = folder
        self.identity = identity
        self.report = report
        self.history = History()
        self.schedule = SCHEDULES.build(section.schedule)
        self.steps = len(batch_sizes(len(rows.train), section.batch_size))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimizer over one group of parameters per strength of decay."""
        optimizer = OPTIMIZERS.build(self.section.optimizer)
        return optimizer.build(self.member.regularization.parameter_groups(self.model))

    def on_fit_start(self) -> None:
        """Move the rows to where the model now is; they stay there. Report again what a checkpoint brought."""
        self.rows = self.rows.prepared(self.member, self.device)
        for epoch in self.history.epochs:
            self.report(epoch)

    def on_train_start(self) -> None:
        """Stop at once where a resumed fit had already met its end."""
        self._stop_if_due()

    def training_step(self, *_: Any) -> None:
        """Run one epoch, watch it, remember it."""
        number = len(self.history.epochs) + 1
        started, started_cpu = time.perf_counter(), time.process_time()
        torch.manual_seed(derived(self.seed_of_fit, "epoch", number))
        objective = self._steps(number)
        metrics = self._metrics(number, objective)
        self.history.cpu_seconds += time.process_time() - started_cpu
        epoch = Epoch(number, metrics, time.perf_counter() - started)
        kept = self.member.regularization.kept_epoch([*self.history.losses, metrics["valid/loss"]])
        self.history.add(epoch, kept, self.model)

    def on_train_epoch_end(self) -> None:
        """Make the epoch durable, then report it."""
        epoch = self.history.epochs[-1]
        if self.folder is not None:
            self.trainer.save_checkpoint(checkpoint_path(self.folder, epoch.number), weights_only=False)
        failpoint("training.epoch")  # an epoch is durable, nobody has heard of it
        self.report(epoch)
        self._stop_if_due()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what Lightning does not know."""
        checkpoint[IDENTITY] = self.identity
        checkpoint[HISTORY] = self.history.to_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the history where it was left."""
        self.history = History.from_dict(checkpoint[HISTORY])

    def _stop_if_due(self) -> None:
        losses = self.history.losses
        self.trainer.should_stop = bool(losses) and self.member.regularization.should_stop(losses)

    def _steps(self, number: int) -> Tensor:
        """Take every step of an epoch and return the mean objective over its rows, without waiting for the device."""
        member, rows = self.member, self.rows.train
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        named: dict[str, Tensor] = dict(self.model.named_parameters())
        buffers = dict(self.model.named_buffers())
        parameters = [parameter for parameter in named.values() if parameter.requires_grad]
        clips = member.regularization.changes_gradients()
        base, total = OPTIMIZERS.build(self.section.optimizer).lr, self.steps * self.section.epochs
        step, objectives = self.steps * (number - 1), torch.zeros((), device=self.device)
        for batch in shuffled(rows, self.section.batch_size, self.seed_of_fit, number):
            loss = member.objective(named, buffers, batch)
            raw = torch.autograd.grad(loss, parameters)
            gradients = member.regularization.gradients(raw) if clips else raw
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            for group in optimizer.param_groups:
                group["lr"] = base * self.schedule.multiplier(step, total)
            optimizer.step()
            objectives += loss.detach() * len(batch)
            step += 1
            failpoint("training.batch")  # in the middle of an epoch
        return objectives / len(rows)

    def _metrics(self, number: int, objective: Tensor) -> dict[str, float]:
        """Return the metrics of an epoch; here the device is waited for, once.

        Raises:
            DivergedError: one of them is not finite.
        """
        watched, valid = self.member.plain_loss(self.rows.watched), self.member.plain_loss(self.rows.valid)
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        values = torch.stack((watched, valid, objective.double())).tolist()
        metrics = dict(zip(("train/loss", "valid/loss", "train/objective"), values, strict=True))
        for name, value in metrics.items():
            if value - value != 0:
                raise DivergedError(number, name, value)
        return metrics | {"lr": float(optimizer.param_groups[0]["lr"])}


def _sample(rows: int, wanted: int, seed: int) -> Tensor:
    """Return numbers of at most `wanted` of the rows, drawn without replacement, in ascending order."""
    generator = torch.Generator().manual_seed(derived(seed, "watched"))
    return torch.randperm(rows, generator=generator)[:wanted].sort().values
