"""Adam with its decay beside the gradient."""

import torch

from goodfit.optimizers.base import OPTIMIZERS, Group, fused_on
from goodfit.optimizers.moments import Moments


@OPTIMIZERS.register("adamw", decoupled=True)
class AdamW(Moments):
    """Adam whose weight decay shrinks the weights directly, by lr x decay at each step.

    "Decoupled Weight Decay Regularization" (Loshchilov and Hutter, ICLR 2019, arXiv:1711.05101).
    """

    def build(self, groups: list[Group]) -> torch.optim.Optimizer:
        """Return `torch.optim.AdamW`, fused where it can be; groups that name no decay have none."""
        fused = fused_on(groups)
        return torch.optim.AdamW(groups, lr=self.lr, betas=self.betas, eps=self.epsilon, weight_decay=0.0, fused=fused)
