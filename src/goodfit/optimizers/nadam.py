"""Adam with Nesterov's look ahead."""

import torch

from goodfit.optimizers.base import OPTIMIZERS, Group
from goodfit.optimizers.moments import Moments


@OPTIMIZERS.register("nadam", decoupled=True)
class NAdam(Moments):
    """Adam that uses the running mean of gradients as it will be after the step.

    "Incorporating Nesterov Momentum into Adam" (Dozat, ICLR 2016 workshop), with decoupled weight decay.
    """

    def build(self, groups: list[Group]) -> torch.optim.Optimizer:
        """Return `torch.optim.NAdam`, over all parameters at once: torch has no fused kernel for it."""
        return torch.optim.NAdam(
            groups,
            lr=self.lr,
            betas=self.betas,
            eps=self.epsilon,
            decoupled_weight_decay=True,
            foreach=True,
        )
