"""The size of a whole gradient."""

from collections.abc import Sequence

import torch
from torch import Tensor

TINY = 1e-6
"""Added to a norm before dividing by it, as torch does."""


def joint_norm(gradients: Sequence[Tensor], dimensions: int) -> Tensor:
    """Return the Euclidean norm over all tensors together; with `dimensions` 1 that of each member, [k]."""
    norms = [torch.linalg.vector_norm(gradient.flatten(dimensions), dim=-1) for gradient in gradients]
    joint: Tensor = torch.linalg.vector_norm(torch.stack(norms, dim=-1), dim=-1)
    return joint
