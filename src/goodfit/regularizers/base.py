"""The contract of a regularizer: hooks that do nothing unless a member overrides them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from goodfit.registry import Registry


class Regularizer(nn.Module):
    """One way to keep a model from fitting noise.

    A regularizer is built from its options alone and is off by its defaults: with zero strength it is not `active`,
    none of its hooks is called, and the training is bit-equal to one without it. Strengths are buffers (float64,
    without dimensions, not in the state dict) and randomness comes from torch operations only, so that many members
    with different strengths train in one `torch.func.vmap`. Facts that a registration states: `tasks` it applies to,
    `needs_hidden_layers`, and its `source`.
    """

    @property
    def active(self) -> bool:
        """Return whether the options ask for any effect."""
        raise NotImplementedError

    def before_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return modules [n, width] -> [n, width] before the activation of hidden layer `index` (from 0) of `count`."""
        return []

    def after_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return modules [n, width] -> [n, width] after the activation of hidden layer `index` (from 0) of `count`."""
        return []

    def targets(self, target: Tensor, classes: int) -> Tensor:
        """Return training targets: [n] classes or values, or [n, classes] probabilities, in and out. Pure."""
        return target

    def decay(self, name: str, parameter: nn.Parameter) -> float:
        """Return the decay of one parameter per unit of learning rate; `name` is its name in the model."""
        return 0.0

    def gradients(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return the gradients to step along, in the same order. Pure."""
        return gradients

    def should_stop(self, losses: Sequence[float]) -> bool:
        """Return whether training ends now, from the validation loss after each epoch so far."""
        return False

    def kept_epoch(self, losses: Sequence[float]) -> int:
        """Return the index of the epoch whose weights are kept, from the validation losses so far: the last one."""
        return len(losses) - 1

    def register_strength(self, name: str, value: float) -> None:
        """Keep an option as a tensor, so that it can differ between the members of a population."""
        self.register_buffer(name, torch.tensor(value, dtype=torch.float64), persistent=False)


REGULARIZERS: Registry[Regularizer] = Registry("regularizer")
