"""The L1 penalty."""

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer


@REGULARIZERS.register(
    "l1",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Tibshirani, Regression Shrinkage and Selection via the Lasso, J. of the Royal Statistical Society B 58, "
    "1996",
)
class L1(Regularizer):
    """Add `strength` x the sum of the sizes of all weights to the objective, which pulls idle weights to 0.

    "Regression Shrinkage and Selection via the Lasso" (Tibshirani, JRSS B 58, 1996). Only weights count: matrices and
    embedding tables, not biases, scales and shifts of norms. Together with `weight_decay` it is the elastic net (Zou
    and Hastie, JRSS B 67, 2005). Gradient steps bring idle weights near 0, and not to it.

    Options:
        strength: factor on the sum of the weights' sizes; 0 is off.
    """

    stacks = True
    varies = ("strength",)
    factor: Tensor

    def __init__(self, *, strength: Annotated[float, Field(ge=0, le=1000)] = 0.0) -> None:
        super().__init__()
        self._strength = strength
        self.register_strength("factor", strength)

    @property
    def active(self) -> bool:
        """Return whether weights are penalized."""
        return self._strength > 0

    def penalty(self, weights: Sequence[Tensor]) -> Tensor:
        """Return factor x the sum of the sizes of all numbers in matrices; [k] of a stack."""
        own = self.factor.ndim
        sizes = [weight.abs().flatten(own).sum(dim=-1) for weight in weights if weight.ndim - own >= 2]
        return self.factor * torch.stack(sizes).sum(dim=0)
