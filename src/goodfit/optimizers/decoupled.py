"""Decoupled weight decay for optimizers that have none of their own in torch."""

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    Base = torch.optim.Optimizer
else:
    Base = object


class DecoupledDecay(Base):
    """Mix in before a `torch.optim.Optimizer`: shrink weights by lr x decay, then take the step without any decay.

    "Decoupled Weight Decay Regularization" (Loshchilov and Hutter, ICLR 2019, arXiv:1711.05101).
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take one step."""
        decays = [group["weight_decay"] for group in self.param_groups]
        for group, decay in zip(self.param_groups, decays, strict=True):
            weights = [p for p in group["params"] if p.grad is not None]
            if decay and weights:
                torch._foreach_mul_(weights, 1 - group["lr"] * decay)
            group["weight_decay"] = 0.0
        try:
            return super().step(closure)
        finally:
            for group, decay in zip(self.param_groups, decays, strict=True):
                group["weight_decay"] = decay
