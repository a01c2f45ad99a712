"""Max-norm."""

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.noise import along


@REGULARIZERS.register(
    "max_norm",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Srebro and Shraibman, Rank, Trace-Norm and Max-Norm, COLT 2005; Srivastava et al., Dropout, JMLR 15, 2014",
)
class MaxNorm(Regularizer):
    """Shorten, after each step, every neuron's vector of incoming weights that is longer than `norm`.

    Section 5.1 of "Dropout: A Simple Way to Prevent Neural Networks from Overfitting" (Srivastava et al., JMLR 15,
    2014), which tried 3 to 4, after "Rank, Trace-Norm and Max-Norm" (Srebro and Shraibman, COLT 2005). The rows of all
    matrices are bounded: of hidden layers, of the output layer, and the vectors of embedding tables.

    Options:
        norm: largest Euclidean norm of a neuron's incoming weights; 0 is off.
    """

    stacks = True
    varies = ("norm",)
    bound: Tensor

    def __init__(self, *, norm: Annotated[float, Field(ge=0)] = 0.0) -> None:
        super().__init__()
        self._norm = norm
        self.register_strength("bound", norm or float("inf"))

    @property
    def active(self) -> bool:
        """Return whether norms are bounded."""
        return self._norm > 0

    def constrained(self, weights: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return matrices with shortened rows, and all else as it is."""
        own = self.bound.ndim
        return [bounded(weight, self.bound) if weight.ndim - own >= 2 else weight for weight in weights]


def bounded(weight: Tensor, bound: Tensor) -> Tensor:
    """Shorten the vectors along the last dimension to `bound`; of a stack, [k, ...] with `bound` [k]."""
    lengths = torch.linalg.vector_norm(weight, dim=-1, keepdim=True)
    limit = along(bound, weight).to(weight.dtype)
    return torch.where(lengths > limit, weight * (limit / lengths), weight)
