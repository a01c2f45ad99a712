"""Adam that warms itself up."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from goodfit.optimizers.base import OPTIMIZERS, Group, Numbers, column
from goodfit.optimizers.moments import Moments, running_means


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

    def step(
        self, weights: Tensor, gradients: Tensor, state: Mapping[str, Tensor], numbers: Numbers, count: int
    ) -> None:
        """Take RAdam's step."""
        mean, square = running_means(gradients, state, numbers)
        trusts = [_trust(beta2, count) for beta2 in numbers["beta2"]]
        trusted = column([float(trust is not None) for trust in trusts], weights) > 0
        size = torch.where(trusted, square.sqrt().add_(numbers.column("epsilon")), 1.0)
        rates = [
            lr / (1 - beta1**count) * (1.0 if trust is None else trust)
            for lr, beta1, trust in zip(numbers["lr"], numbers["beta1"], trusts, strict=True)
        ]
        weights.sub_((mean * column(rates, weights)).div_(size))


def _trust(beta2: float, count: int) -> float | None:
    """Return the factor on an adaptive step (the paper's r_t, with the correction of the bias), or None for none."""
    longest = 2 / (1 - beta2) - 1
    correction = 1 - beta2**count
    length = longest - 2 * count * beta2**count / correction
    if length <= 5:
        return None
    short, long = (length - 4) * (length - 2) * longest, (longest - 4) * (longest - 2) * length
    return math.sqrt(correction * short / long)
