"""Adam with its decay beside the gradient."""

from collections.abc import Mapping

import torch
from torch import Tensor

from goodfit.optimizers.base import OPTIMIZERS, Group, Numbers, fused_on
from goodfit.optimizers.moments import Moments, adam_step


@OPTIMIZERS.register("adamw", decoupled=True)
class AdamW(Moments):
    """Adam whose weight decay shrinks the weights directly, by lr x decay at each step.

    "Decoupled Weight Decay Regularization" (Loshchilov and Hutter, ICLR 2019, arXiv:1711.05101).
    """

    def build(self, groups: list[Group]) -> torch.optim.Optimizer:
        """Return `torch.optim.AdamW`, fused where it can be; groups that name no decay have none."""
        fused = fused_on(groups)
        return torch.optim.AdamW(groups, lr=self.lr, betas=self.betas, eps=self.epsilon, weight_decay=0.0, fused=fused)

    def step(
        self, weights: Tensor, gradients: Tensor, state: Mapping[str, Tensor], numbers: Numbers, count: int
    ) -> None:
        """Take Adam's step."""
        adam_step(weights, gradients, state, numbers, count)
