"""Adam with its decay in the gradient."""

from collections.abc import Mapping

import torch
from torch import Tensor

from goodfit.optimizers.base import OPTIMIZERS, Group, Numbers, fused_on
from goodfit.optimizers.moments import Moments, adam_step


@OPTIMIZERS.register("adam", decoupled=False)
class Adam(Moments):
    """Steps in units of the gradient's running mean over its running size.

    "Adam: A Method for Stochastic Optimization" (Kingma and Ba, ICLR 2015, arXiv:1412.6980). Weight decay is added to
    the gradient, hence scaled by the running size like the rest; `adamw` is the same without that.
    """

    def build(self, groups: list[Group]) -> torch.optim.Optimizer:
        """Return `torch.optim.Adam`, fused where it can be."""
        fused = fused_on(groups)
        return torch.optim.Adam(groups, lr=self.lr, betas=self.betas, eps=self.epsilon, fused=fused)

    def step(
        self, weights: Tensor, gradients: Tensor, state: Mapping[str, Tensor], numbers: Numbers, count: int
    ) -> None:
        """Take Adam's step."""
        adam_step(weights, gradients, state, numbers, count)
