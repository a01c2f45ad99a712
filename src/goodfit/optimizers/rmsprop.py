"""Steps in units of the gradient's running size."""

import torch

from goodfit.optimizers.base import OPTIMIZERS, Decayed, Epsilon, Group, LearningRate, Optimizer
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
