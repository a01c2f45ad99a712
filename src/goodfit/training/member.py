"""One member of a population: what it minimizes, as a pure function of parameters, buffers and rows."""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.func import functional_call

from goodfit.models import Model
from goodfit.regularizers import Regularization
from goodfit.tasks import Task
from goodfit.training.batches import Batch

State = dict[str, Tensor]
EVALUATION_ROWS = 8192
"""Rows per forward pass outside of training; fixed, because the grouping of rows may change the last bits."""
PREPARED_BYTES = 1 << 28
"""Up to this size, what depends on the rows alone (one-hot columns) is computed once and not in every step."""


@dataclass(frozen=True)
class Member:
    """A model, what it learns and how it is regularized; it holds no state of a training.

    Args:
        model: gives the form of the computation; its own numbers serve where it is called by itself.
        task: loss per row.
        regularization: targets and gradients as training sees them.
        classes: number of classes; 0 in regression.
    """

    model: Model
    task: Task
    regularization: Regularization
    classes: int
    _smooths: bool = field(init=False)

    def __post_init__(self) -> None:
        """Look up once what a step would look up each time."""
        object.__setattr__(self, "_smooths", self.regularization.changes_targets())

    def objective(self, parameters: State, buffers: State, batch: Batch) -> Tensor:
        """Return the scalar that a step minimizes: the mean over the batch of the task's loss on training targets.

        Pure but for the running statistics of norms, which it writes into `buffers`; `torch.func.vmap` takes it over
        stacked parameters and buffers.
        """
        logits = functional_call(self.model, (parameters, buffers), (batch.numeric, batch.categorical))
        target = self.regularization.targets(batch.target, self.classes) if self._smooths else batch.target
        return self.task.loss(logits, target).mean()

    def plain_loss(self, data: Batch) -> Tensor:
        """Return the mean of the task's loss without any regularizer, with the model's own numbers, as float64."""
        self.model.eval()
        total = torch.zeros((), dtype=torch.float64, device=data.target.device)
        with torch.inference_mode():
            for part in data.split(EVALUATION_ROWS):
                losses = self.task.loss(self.model(part.numeric, part.categorical), part.target)
                total += losses.sum(dtype=torch.float64)
        self.model.train()
        return total / len(data)

    def prepared(self, data: Batch) -> Batch:
        """Return the rows with everything computed that depends on no parameter, where that fits into memory."""
        target = data.target.to(self.task.target_dtype)
        if len(data) * self.model.prepared_width * 4 > PREPARED_BYTES:
            return Batch(data.numeric, data.categorical, target)
        return Batch(*self.model.prepare(data.numeric, data.categorical), target)
