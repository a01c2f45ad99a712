"""Adam that warms itself up."""

import torch

from goodfit.optimizers.base import OPTIMIZERS, Group
from goodfit.optimizers.moments import Moments


@OPTIMIZERS.register("radam", decoupled=True)
class RAdam(Moments):
    """Adam that takes plain momentum steps until its estimate of the gradient's size can be trusted.

    "On the Variance of the Adaptive Learning Rate and Beyond" (Liu et al., ICLR 2020, arXiv:1908.03265), with
    decoupled weight decay.
    """

    def build(self, groups: list[Group]) -> torch.optim.Optimizer:
        """Return `torch.optim.RAdam`, over all parameters at once: torch has no fused kernel for it."""
        return torch.optim.RAdam(
            groups,
            lr=self.lr,
            betas=self.betas,
            eps=self.epsilon,
            decoupled_weight_decay=True,
            foreach=True,
        )
