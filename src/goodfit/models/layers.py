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
