"""Normalise a row over its features, with learned scales and shifts."""

from typing import ClassVar

import torch
from torch import Tensor, nn


class RowNorm(nn.Module):
    """Give each group of a row's features mean 0 and variance 1, then scale and shift each feature.

    Args:
        width: features per row.
        groups: of neighbouring features, equally many in each.
        epsilon: added to the variance, against division by zero.
    """

    stacks: ClassVar[bool] = True

    def __init__(self, width: int, groups: int, epsilon: float) -> None:
        super().__init__()
        self.groups = groups
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width], or [k, n, width] of a stack."""
        size = values.shape[-1] // self.groups
        parts = values.reshape(*values.shape[:-1], self.groups, size)
        normal = nn.functional.layer_norm(parts, (size,), eps=self.epsilon).reshape(values.shape)
        weight, bias = self.weight, self.bias
        if weight.ndim == 1:
            return normal * weight + bias
        return normal * weight[:, None] + bias[:, None]
