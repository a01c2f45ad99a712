"""Stochastic gradient descent."""

from collections.abc import Hashable, Mapping

import torch
from torch import Tensor

from goodfit.optimizers.base import OPTIMIZERS, Decayed, Group, LearningRate, Numbers, Optimizer, fused_on
from goodfit.optimizers.decoupled import DecoupledDecay


class DecoupledSGD(DecoupledDecay, torch.optim.SGD):
    """SGD whose decay does not pass through the momentum: SGDW of Loshchilov and Hutter, arXiv:1711.05101."""


@OPTIMIZERS.register("sgd", decoupled=True)
class SGD(Optimizer):
    """Steps along the gradient, with momentum, in Nesterov's form or the plain one.

    "On the Importance of Initialization and Momentum in Deep Learning" (Sutskever et al., ICML 2013).

    Options:
        lr: base learning rate.
        momentum: share of the last step that is kept; 0 for none.
        nesterov: whether the gradient is taken where the momentum leads; needs momentum.
    """

    def __init__(self, *, lr: LearningRate = 0.05, momentum: Decayed = 0.9, nesterov: bool = True) -> None:
        self.lr = lr
        self.momentum = momentum
        self.nesterov = nesterov and momentum > 0

    def build(self, groups: list[Group]) -> torch.optim.Optimizer:
        """Return SGD with decoupled decay, fused where it can be."""
        fused = fused_on(groups)
        return DecoupledSGD(groups, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov, fused=fused)

    @property
    def form(self) -> Hashable:
        """Return whether there is momentum, and of which kind."""
        return self.momentum > 0, self.nesterov

    def numbers(self) -> Mapping[str, float]:
        """Return the momentum."""
        return {"momentum": self.momentum}

    def start(self, weights: Tensor) -> dict[str, Tensor]:
        """Return the sum of past gradients, where there is momentum."""
        return {"last": torch.zeros_like(weights)} if self.momentum else {}

    def step(
        self, weights: Tensor, gradients: Tensor, state: Mapping[str, Tensor], numbers: Numbers, count: int
    ) -> None:
        """Take one step."""
        direction = gradients
        if self.momentum:
            direction = state["last"].mul_(numbers.column("momentum")).add_(gradients)
        if self.nesterov:
            direction = gradients + direction * numbers.column("momentum")
        weights.sub_(direction * numbers.column("lr"))
