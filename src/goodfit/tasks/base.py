"""The contract of a task: how many outputs a model needs, the loss per row, and what a prediction is."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from goodfit.errors import ConfigurationError, Fault, suggestion
from goodfit.registry import Registry


class Task(ABC):
    """One learning problem. All methods are pure tensor functions, so that they run under `torch.func.vmap`."""

    target_dtype: ClassVar[torch.dtype]
    """The dtype in which `loss` takes targets without a conversion; convert once, outside the training loop."""

    @abstractmethod
    def outputs(self, classes: int) -> int:
        """Return the number of logits that a model gives per row, from the number of classes (0 in regression)."""

    @abstractmethod
    def row_losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each row.

        Args:
            logits: [n, outputs], raw scores of a model.
            target: [n], class index or standardised value; in classification also [n, classes], the
                probability of each class, as label smoothing makes it.

        Returns:
            [n], in nats for classification, in squared standard deviations of the target for regression.
        """

    def slopes(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the derivative of each row's loss in its logits, [n, outputs], from the same as `row_losses`.

        This one records a graph; a formula is cheaper.
        """
        with torch.enable_grad():
            leaf = logits.detach().requires_grad_()
            (found,) = torch.autograd.grad(self.row_losses(leaf, target).sum(), leaf)
        return found

    @abstractmethod
    def predict(self, logits: Tensor) -> Tensor:
        """Return [n, classes] probabilities, or in regression [n] standardised values, from [n, outputs] logits."""

    @abstractmethod
    def pooled(self, logits: Tensor) -> Tensor:
        """Return scores [n, outputs] whose prediction is the mean of those of `logits` [m, n, outputs]."""

    def loss(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return `row_losses`, each times its row's weight [n] where there are weights."""
        losses = self.row_losses(logits, target)
        return losses if weight is None else losses * weight


TASKS: Registry[Task] = Registry("task")


def task_named(name: str) -> Task:
    """Build the task of a schema.

    Raises:
        ConfigurationError: no such task.
    """
    if name not in TASKS:
        raise ConfigurationError([Fault("task", "is unknown", name, suggestion(name, TASKS))])
    return TASKS.build(TASKS[name].options())
