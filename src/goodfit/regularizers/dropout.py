"""Dropout."""

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.clock import register_clock, share_done
from goodfit.regularizers.depth import Shape, share_at
from goodfit.regularizers.fading import Fading, left
from goodfit.regularizers.noise import along, coins, heads, threshold, thresholds


class DropoutLayer(nn.Module):
    """Zero each element with probability `p` in training and scale the others by 1 / (1 - p).

    `p` is a tensor, which torch's own layer cannot take, so that the members of a stack [k, n, width] have their own.

    Args:
        p: at the beginning of the training.
        schedule: how it moves from there.
    """

    stacks: ClassVar[bool] = True
    p: Tensor
    scale: Tensor
    last_tails: Tensor

    def __init__(self, p: float, schedule: Fading = "constant") -> None:
        super().__init__()
        self.schedule: Fading = schedule
        self.register_buffer("p", torch.tensor(p, dtype=torch.float64), persistent=False)
        self.register_buffer("scale", torch.tensor(1 / (1 - p), dtype=torch.float32), persistent=False)
        self.register_buffer("last_tails", torch.tensor(threshold(p) - 1.0, dtype=torch.float32), persistent=False)
        if schedule != "constant":
            register_clock(self)

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width], or [k, n, width] of a stack."""
        return values * self.factors(values).to(values.dtype) if self.training else values

    def factors(self, values: Tensor) -> Tensor:
        """Return what each value is multiplied by in a step: float32, 0 or 1 / (1 - p)."""
        scale, last_tails = self._now()
        return heads(values, last_tails).mul_(along(scale, values))

    def drawn(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return the factors in memory of their own, for one member, and what is kept is multiplied by."""
        scale, last_tails = self._now()
        numbers = coins(values).to(torch.float32)
        return numbers.sub_(last_tails).clamp_(0, 1).mul_(scale), scale

    def _now(self) -> tuple[Tensor, Tensor]:
        """Return what is kept is multiplied by in this step, and the highest coin that silences."""
        if self.schedule == "constant":
            return self.scale, self.last_tails
        p = self.p * left(self.schedule, share_done(self))
        return (1 / (1 - p)).to(torch.float32), thresholds(p).to(torch.float32) - 1


@REGULARIZERS.register(
    "dropout",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=True,
    source="Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 15, 2014",
)
class Dropout(Regularizer):
    """Silence each neuron of every hidden layer with probability `p` at each training step, after its activation.

    "Dropout: A Simple Way to Prevent Neural Networks from Overfitting" (Srivastava et al., JMLR 15, 2014), in the
    inverted form: what is kept is scaled up in training, so that prediction needs no change.

    Options:
        p: probability that a neuron is silent, in the layers where it is largest; 0 is off.
        shape: of that probability over depth: brick (the same everywhere), funnel, long_funnel, triangle, diamond,
            hexagon or stairs.
        schedule: of that probability over the training: constant; cosine, down to 0; or flat_cosine, constant to half
            time and then down to 0.
    """

    varies = ("p", "shape")

    def __init__(
        self,
        *,
        p: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        shape: Shape = "brick",
        schedule: Fading = "constant",
    ) -> None:
        super().__init__()
        self._p = p
        self._shape: Shape = shape
        self._schedule: Fading = schedule

    @property
    def active(self) -> bool:
        """Return whether any neuron is ever silent."""
        return self._p > 0

    def after_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return one dropout layer."""
        return [DropoutLayer(self._p * share_at(self._shape, index, count), self._schedule)]
