"""Gradient noise."""

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.clock import register_clock, steps_done
from goodfit.regularizers.noise import along, normal


@REGULARIZERS.register(
    "gradient_noise",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Neelakantan et al., Adding Gradient Noise Improves Learning for Very Deep Networks, 2015, arXiv:1511.06807",
)
class GradientNoise(Regularizer):
    """Add normal noise to every gradient, less and less of it: its variance is `eta` / (1 + step) ** `gamma`.

    "Adding Gradient Noise Improves Learning for Very Deep Networks" (Neelakantan et al., 2015, arXiv:1511.06807,
    equation 1), which tried an `eta` of 0.01, 0.3 and 1. Where gradients are clipped, they are clipped first.

    Options:
        eta: variance in the first step; 0 is off.
        gamma: how fast the variance falls with the number of steps.
    """

    stacks = True
    varies = ("eta", "gamma")
    first_variance: Tensor
    power: Tensor

    def __init__(
        self,
        *,
        eta: Annotated[float, Field(ge=0, le=1000)] = 0.0,
        gamma: Annotated[float, Field(ge=0, le=10)] = 0.55,
    ) -> None:
        super().__init__()
        self._eta = eta
        self.register_strength("first_variance", eta)
        self.register_strength("power", gamma)
        register_clock(self)

    @property
    def active(self) -> bool:
        """Return whether there is noise."""
        return self._eta > 0

    def gradients(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return gradients with noise."""
        deviation = torch.sqrt(self.first_variance / (1 + steps_done(self)) ** self.power)
        return [g + normal(g) * along(deviation, g).to(g.dtype) for g in gradients]
