"""A path around a layer."""

from typing import ClassVar

from torch import Tensor, nn


class Shortcut(nn.Module):
    """Add what a branch [n, width] -> [n, width] makes of its input to that input."""

    stacks: ClassVar[bool] = True

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width], or [k, n, width] of a stack."""
        changed: Tensor = self.branch(values)
        return values + changed
