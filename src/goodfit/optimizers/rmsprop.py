"""Steps in units of the gradient's running size."""

from collections.abc import Hashable, Mapping

import torch
from torch import Tensor

from goodfit.optimizers.base import OPTIMIZERS, Decayed, Epsilon, Group, LearningRate, Numbers, Optimizer
from goodfit.optimizers.decoupled import DecoupledDecay


class DecoupledRMSprop(DecoupledDecay, torch.optim.RMSprop):
    """RMSprop whose decay is not divided by the running size."""


@OPTIMIZERS.register("rmsprop", decoupled=True)
class RMSprop(Optimizer):
    """The gradient over its running size.

    Lecture 6.5 of "Neural Networks for Machine Learning" (Tieleman and Hinton, 2012), with decoupled weight decay.

    Options:
        lr: base learning rate.
        alpha: share of the running mean of squared gradients that is kept at each step.
        epsilon: added to the running size, against division by zero.
        momentum: share of the last step that is kept; 0 for none.
    """

    def __init__(
        self,
        *,
        lr: LearningRate = 1e-3,
        alpha: Decayed = 0.99,
        epsilon: Epsilon = 1e-8,
        momentum: Decayed = 0.0,
    ) -> None:
        self.lr = lr
        self.alpha = alpha
        self.epsilon = epsilon
        self.momentum = momentum

    def build(self, groups: list[Group]) -> torch.optim.Optimizer:
        """Return RMSprop with decoupled decay, over all parameters at once: torch has no fused kernel for it."""
        return DecoupledRMSprop(
            groups, lr=self.lr, alpha=self.alpha, eps=self.epsilon, momentum=self.momentum, foreach=True
        )

    @property
    def form(self) -> Hashable:
        """Return whether there is momentum."""
        return self.momentum > 0

    def numbers(self) -> Mapping[str, float]:
        """Return alpha, epsilon and momentum."""
        return {"alpha": self.alpha, "epsilon": self.epsilon, "momentum": self.momentum}

    def start(self, weights: Tensor) -> dict[str, Tensor]:
        """Return the running mean of squares, and the last step where there is momentum."""
        state = {"square": torch.zeros_like(weights)}
        return state | {"last": torch.zeros_like(weights)} if self.momentum else state

    def step(
        self, weights: Tensor, gradients: Tensor, state: Mapping[str, Tensor], numbers: Numbers, count: int
    ) -> None:
        """Take RMSprop's step."""
        kept = numbers.column("alpha")
        square = state["square"].mul_(kept).addcmul_(gradients, gradients * (1 - kept))
        direction = gradients / square.sqrt().add_(numbers.column("epsilon"))
        if self.momentum:
            direction = state["last"].mul_(numbers.column("momentum")).add_(direction)
        weights.sub_(direction * numbers.column("lr"))
