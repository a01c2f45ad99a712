"""Adam with Nesterov's look ahead."""

from collections.abc import Mapping

import torch
from torch import Tensor

from goodfit.optimizers.base import OPTIMIZERS, Group, Numbers, column
from goodfit.optimizers.moments import Moments, running_means

MOMENTUM_DECAY = 4e-3
"""How fast the look ahead grows, as in torch."""


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

    def start(self, weights: Tensor) -> dict[str, Tensor]:
        """Return both running means, and the product of all momenta so far."""
        return super().start(weights) | {"product": torch.ones(len(weights), dtype=torch.float64)}

    def step(
        self, weights: Tensor, gradients: Tensor, state: Mapping[str, Tensor], numbers: Numbers, count: int
    ) -> None:
        """Take Nadam's step."""
        momenta = [_momentum(beta1, count) for beta1 in numbers["beta1"]]
        ahead = [_momentum(beta1, count + 1) for beta1 in numbers["beta1"]]
        so_far = state["product"].mul_(torch.tensor(momenta, dtype=torch.float64)).tolist()
        now = [lr * (1 - m) / (1 - p) for lr, m, p in zip(numbers["lr"], momenta, so_far, strict=True)]
        soon = [lr * m / (1 - p * m) for lr, m, p in zip(numbers["lr"], ahead, so_far, strict=True)]
        mean, square = running_means(gradients, state, numbers)
        size = (square / (1 - numbers.column("beta2") ** count)).sqrt_().add_(numbers.column("epsilon"))
        weights.sub_((gradients * column(now, weights)).add_(mean * column(soon, weights)).div_(size))


def _momentum(beta1: float, count: int) -> float:
    return float(beta1 * (1 - 0.5 * 0.96 ** (count * MOMENTUM_DECAY)))
