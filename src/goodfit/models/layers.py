"""Layers with parameters that compute for one member, or for a stack of members with a leading dimension more.

For one they are torch's own. Given parameters [k, ...] (by `torch.func.functional_call`) they compute k members in one
kernel each: on a CPU that is far cheaper for small networks than `torch.func.vmap`, whose bookkeeping costs more than
their arithmetic.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional


class Linear(nn.Linear):
    """`torch.nn.Linear`, also over a stack: rows [k, n, in], or [n, in] that all members share, to [k, n, out]."""

    stacks: ClassVar[bool] = True

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, out], or [k, n, out] where the weight is [k, out, in]."""
        if self.weight.ndim == 2:
            return functional.linear(values, self.weight, self.bias)
        bias: Tensor | None = self.bias
        if values.ndim == 2:  # one wide product: the rows are read once for all members
            members, width, _ = self.weight.shape
            joint = None if bias is None else bias.reshape(-1)
            wide = functional.linear(values, self.weight.flatten(0, 1), joint)
            return wide.view(-1, members, width).transpose(0, 1)
        if bias is None:
            return torch.bmm(values, self.weight.mT)
        return torch.baddbmm(bias[:, None], values, self.weight.mT)


class NTKLinear(Linear):
    """A linear map whose weights are all of the size of 1: it is `gain` x weight, with gain 1 / sqrt(inputs).

    The parametrization of "Neural Tangent Kernel" (Jacot et al., NeurIPS 2018, arXiv:1806.07572): a step of an
    optimizer like Adam, which is equally long for every weight, changes wide and narrow layers alike.

    Args:
        linear: gives shape and first weights; the map starts as the same one.
    """

    def __init__(self, linear: nn.Linear) -> None:
        bias: Tensor | None = linear.bias
        super().__init__(linear.in_features, linear.out_features, bias=bias is not None)
        self.gain: float = max(linear.in_features, 1) ** -0.5
        with torch.no_grad():
            self.weight.copy_(linear.weight / self.gain)
            if bias is not None:
                self.bias.copy_(bias)

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, out], or [k, n, out] where the weight is [k, out, in]."""
        return super().forward(values * self.gain)


class FeatureScaling(nn.Module):
    """Multiply each feature by a learned factor, which starts at 1.

    The factor is 1 + speed x parameter: under Adam that is a learning rate `speed` times as large.

    Args:
        width: features per row.
        speed: learning rate of the factors, as a multiple.
    """

    stacks: ClassVar[bool] = True

    def __init__(self, width: int, speed: float) -> None:
        super().__init__()
        self.speed = speed
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width]; of a stack [k, n, width]."""
        factor = 1 + self.speed * self.shift
        return values * (factor if factor.ndim == 1 else factor[:, None])


class LayerNorm(nn.Module):
    """Give each row mean 0 and variance 1, then scale and shift each feature.

    "Layer Normalization" (Ba, Kiros and Hinton, 2016, arXiv:1607.06450).

    Args:
        width: features per row.
    """

    stacks: ClassVar[bool] = True

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width]; of a stack [k, n, width]."""
        normal = functional.layer_norm(values, values.shape[-1:])
        return normal * self.weight.unsqueeze(-2) + self.bias.unsqueeze(-2)


class Residual(nn.Module):
    """Add what a branch [n, width] -> [n, width] makes of its input to that input.

    Args:
        branch: the modules that the path goes around.
    """

    stacks: ClassVar[bool] = True

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width]; of a stack [k, n, width]."""
        added: Tensor = self.branch(values)
        return values + added


class Embedding(nn.Embedding):
    """`torch.nn.Embedding`, also over a stack: codes [k, ...], or codes that all members share, to [k, ..., width]."""

    stacks: ClassVar[bool] = True

    def forward(self, codes: Tensor) -> Tensor:
        """Return the vectors of the codes; `codes` [n, c], or [k, n, c] where the weight is [k, levels, width]."""
        if self.weight.ndim == 2:
            return functional.embedding(codes, self.weight)
        members, levels, _ = self.weight.shape
        shift = torch.arange(members, device=codes.device)[:, None, None] * levels
        return functional.embedding(codes + shift, self.weight.flatten(0, 1))


def beside_rows(parameter: Tensor) -> Tensor:
    """Return [..., columns, width] as [..., 1, columns, width], to meet values [..., n, columns, width]."""
    return parameter.unsqueeze(-3)


def of_columns(parameter: Tensor, columns: int) -> Tensor:
    """Return [..., 1, columns, width] from [..., columns x width], as a parameter is that shall not decay."""
    return parameter.reshape(*parameter.shape[:-1], 1, columns, -1)


def mapped(values: Tensor, weight: Tensor) -> Tensor:
    """Return [..., n, columns, out] from [..., n, columns, in], by a matrix [..., columns, in, out] for each column."""
    return torch.matmul(values.transpose(-3, -2), weight).transpose(-3, -2)
