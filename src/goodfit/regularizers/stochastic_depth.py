"""Stochastic depth."""

from collections.abc import Callable
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.depth import share_of_depth
from goodfit.regularizers.noise import along, coins, threshold
from goodfit.regularizers.shaking import of_each_row


class DepthGate(nn.Module):
    """Drop a branch's output [n, width] for each row with probability `p` in training; scale the others by 1/(1-p)."""

    stacks: ClassVar[bool] = True
    p: Tensor
    threshold: Tensor

    def __init__(self, p: float) -> None:
        super().__init__()
        self.register_buffer("p", torch.tensor(p, dtype=torch.float64), persistent=False)
        self.register_buffer("threshold", torch.tensor(threshold(p), dtype=torch.int16), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width], or [k, n, width] of a stack."""
        if not self.training:
            return values
        rows = of_each_row(values)
        kept = coins(rows) >= along(self.threshold, rows)
        return values * (kept * along(1 / (1 - self.p), rows).to(values.dtype))


@REGULARIZERS.register(
    "stochastic_depth",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=True,
    source="Huang et al., Deep Networks with Stochastic Depth, ECCV 2016, arXiv:1603.09382",
)
class StochasticDepth(Regularizer):
    """Leave out the branch of a skip connection at random, so that a row sees a shallower network.

    "Deep Networks with Stochastic Depth" (Huang et al., ECCV 2016, arXiv:1603.09382): the probability rises linearly
    with depth up to `p`. Each row draws for itself, and a branch that stays is scaled up in training, so that
    prediction needs no change.

    Options:
        p: probability that the last branch is left out; 0 is off.
    """

    varies = ("p",)
    parent = "skip_connections"

    def __init__(self, *, p: Annotated[float, Field(ge=0, lt=1)] = 0.0) -> None:
        super().__init__()
        self._p = p

    @property
    def active(self) -> bool:
        """Return whether any branch is ever left out."""
        return self._p > 0

    def branch(self, index: int, count: int, layer: Callable[[], list[nn.Module]]) -> list[nn.Module]:
        """Return the layer and a gate behind it."""
        return [*layer(), DepthGate(self._p * share_of_depth(index, count))]
