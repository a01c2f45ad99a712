"""Spectral normalization."""

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from goodfit.regularizers.base import REGULARIZERS, Regularizer

FIRST_ITERATIONS = 15
"""Power iterations before the first step; each training step then follows the weights by one more."""
TINY = 1e-12
"""Against division by the norm of a matrix of zeros."""


class SpectralNormMap(nn.Module):
    """A linear map whose weight matrix is scaled to a given largest singular value.

    Scaling what goes in does the same as scaling the matrix, without a second matrix.

    Args:
        linear: [n, before] -> [n, width], by its `weight` [width, before], times its `gain` where it has one.
        norm: the largest singular value.
    """

    stacks: ClassVar[bool] = True
    settles: ClassVar[int] = FIRST_ITERATIONS
    norm: Tensor
    left: Tensor
    right: Tensor

    def __init__(self, linear: nn.Module, norm: float) -> None:
        super().__init__()
        self.linear = linear
        self.gain = float(getattr(linear, "gain", 1.0))
        weight = linear.get_parameter("weight").detach()
        self.register_buffer("norm", torch.tensor(norm, dtype=torch.float64), persistent=False)
        self.register_buffer("left", functional.normalize(torch.ones(weight.shape[0]), dim=0))
        self.register_buffer("right", functional.normalize(torch.ones(weight.shape[1]), dim=0))
        for _ in range(FIRST_ITERATIONS):
            self._follow(weight)

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width], or [k, n, width] of a stack."""
        weight: Tensor = self.linear.weight  # type: ignore[assignment]  # lent by the training, so no nn.Parameter
        if self.training:
            self._follow(weight.detach())
        left, right = self.left.clone(), self.right.clone()  # the next step changes them in place
        largest = (left * (weight @ right[..., None])[..., 0]).sum(dim=-1)
        scale = self.norm.to(values.dtype) / (self.gain * largest.clamp(min=TINY))
        result: Tensor = self.linear(values * scale[..., None, None])
        return result

    def _follow(self, weight: Tensor) -> None:
        """Take one power iteration: `left` and `right` near the singular vectors of the largest singular value."""
        with torch.no_grad():
            self.left.copy_(functional.normalize((weight @ self.right[..., None])[..., 0], dim=-1))
            self.right.copy_(functional.normalize((weight.mT @ self.left[..., None])[..., 0], dim=-1))


@REGULARIZERS.register(
    "spectral_norm",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=True,
    source="Miyato et al., Spectral Normalization for Generative Adversarial Networks, ICLR 2018, arXiv:1802.05957",
)
class SpectralNorm(Regularizer):
    """Scale the weights of every hidden layer so that their largest singular value is `norm`.

    "Spectral Normalization for Generative Adversarial Networks" (Miyato et al., ICLR 2018, arXiv:1802.05957): no hidden
    layer's linear map stretches a difference between two rows by more than `norm`. The singular value is followed by
    one power iteration per training step. The output layer is free.

    Options:
        norm: the largest singular value of each hidden layer's weights; 0 is off.
    """

    varies = ("norm",)

    def __init__(self, *, norm: Annotated[float, Field(ge=0, le=1000)] = 0.0) -> None:
        super().__init__()
        self._norm = norm

    @property
    def active(self) -> bool:
        """Return whether weights are scaled."""
        return self._norm > 0

    def linear_map(self, linear: nn.Module) -> nn.Module:
        """Return the map with its weights scaled."""
        return SpectralNormMap(linear, self._norm)
