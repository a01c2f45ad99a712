"""ShakeDrop."""

from collections.abc import Callable
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.depth import share_of_depth
from goodfit.regularizers.noise import along, coins, threshold
from goodfit.regularizers.shaking import Update, of_each_row, weighed, weights


class ShakeDropGate(nn.Module):
    """Weigh a branch's output [n, width]: in training as it is, or (with probability `p`) at random, row by row.

    In prediction it is weighed by what the forward pass weighs on average.
    """

    stacks: ClassVar[bool] = True
    p: Tensor
    threshold: Tensor

    def __init__(self, p: float, update: Update) -> None:
        super().__init__()
        self.update = update
        self.register_buffer("p", torch.tensor(p, dtype=torch.float64), persistent=False)
        self.register_buffer("threshold", torch.tensor(threshold(p), dtype=torch.int16), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width], or [k, n, width] of a stack."""
        if not self.training:
            return values * along(1 - self.p * (1 - self.mean), values).to(values.dtype)
        rows = of_each_row(values)
        shaken = coins(rows) < along(self.threshold, rows)
        forward, backward = self._weights(rows)
        one = torch.ones_like(rows)
        return weighed(values, torch.where(shaken, forward, one), torch.where(shaken, backward, one))

    @property
    def mean(self) -> float:
        """Return the mean weight of a shaken row in the forward pass."""
        return 0.0 if self.update.startswith("shake") else 0.5

    def _weights(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights from -1 to 1 forward and from 0 to 1 backward, where they shake."""
        forward, backward = weights(rows, self.update)
        if self.update.startswith("shake"):
            forward = 2 * forward - 1
        return forward, forward if self.update == "shake-keep" else backward


@REGULARIZERS.register(
    "shake_drop",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=True,
    source="Yamada et al., ShakeDrop Regularization for Deep Residual Learning, IEEE Access 7, 2019, arXiv:1802.02375",
)
class ShakeDrop(Regularizer):
    """Weigh the branch of a skip connection at random, for rows that chance picks, with other weights backward.

    "ShakeDrop Regularization for Deep Residual Learning" (Yamada et al., IEEE Access 2019, arXiv:1802.02375): the
    probability rises linearly with depth up to `p`. A shaken row's branch is weighed by -1 to 1 forward and by 0 to 1
    backward, each drawn anew; prediction weighs it by the mean. The update even-even of the regularization cocktail
    (Kadra et al., NeurIPS 2021, arXiv:2106.11189) halves a shaken branch in both passes.

    Options:
        p: probability that the last branch of a row is shaken; 0 is off.
        update: how the forward and the backward pass weigh a shaken branch: even-even (by a half), even-shake,
            shake-even, shake-keep (the gradient by the forward pass's weight) or shake-shake.
    """

    varies = ("p",)
    parent = "skip_connections"
    one_of = "shake_shake and shake_drop"

    def __init__(self, *, p: Annotated[float, Field(ge=0, le=1)] = 0.0, update: Update = "shake-shake") -> None:
        super().__init__()
        self._p = p
        self._update: Update = update

    @property
    def active(self) -> bool:
        """Return whether any branch is ever shaken."""
        return self._p > 0

    def branch(self, index: int, count: int, layer: Callable[[], list[nn.Module]]) -> list[nn.Module]:
        """Return the layer and a gate behind it."""
        return [*layer(), ShakeDropGate(self._p * share_of_depth(index, count), self._update)]
