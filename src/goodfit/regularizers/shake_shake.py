"""Shake-shake."""

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor, nn

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.shaking import Update, of_each_row, weighed, weights


class ShakeShakeBranches(nn.Module):
    """Mix two branches [n, width] -> [n, width]: row by row at random in training, half and half in prediction."""

    stacks: ClassVar[bool] = True

    def __init__(self, first: nn.Module, second: nn.Module, update: Update) -> None:
        super().__init__()
        self.first = first
        self.second = second
        self.update = update

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width], or [k, n, width] of a stack."""
        first: Tensor = self.first(values)
        second: Tensor = self.second(values)
        if not self.training or self.update == "even-even":
            return (first + second) / 2
        forward, backward = weights(of_each_row(first), self.update)
        return weighed(first, forward, backward) + weighed(second, 1 - forward, 1 - backward)


@REGULARIZERS.register(
    "shake_shake",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=True,
    source="Gastaldi, Shake-Shake Regularization, 2017, arXiv:1705.07485",
)
class ShakeShake(Regularizer):
    """Double the branch of every skip connection and mix both at random, with other weights for the gradient.

    "Shake-Shake regularization" (Gastaldi, 2017, arXiv:1705.07485). Each row draws its own weights; in prediction both
    branches count half, the mean of the weights. It doubles the parameters of the layers that have a path around them.

    Options:
        enabled: whether branches are doubled; false is off.
        update: how the forward and the backward pass weigh the branches: even-even (half and half, without noise),
            even-shake, shake-even, shake-keep (the gradient by the forward pass's weights) or shake-shake.
    """

    parent = "skip_connections"
    one_of = "shake_shake and shake_drop"

    def __init__(self, *, enabled: bool = False, update: Update = "shake-shake") -> None:
        super().__init__()
        self._enabled = enabled
        self._update: Update = update

    @property
    def active(self) -> bool:
        """Return whether branches are doubled."""
        return self._enabled

    def branch(self, index: int, count: int, layer: Callable[[], list[nn.Module]]) -> list[nn.Module]:
        """Return two branches as one."""
        return [ShakeShakeBranches(nn.Sequential(*layer()), nn.Sequential(*layer()), self._update)]
