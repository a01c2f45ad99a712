"""Early stopping."""

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from goodfit.regularizers.base import REGULARIZERS, Regularizer


@REGULARIZERS.register(
    "early_stopping",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Prechelt, Early Stopping - But When?, in Neural Networks: Tricks of the Trade, Springer 1998",
)
class EarlyStopping(Regularizer):
    """End training when the validation loss has stopped falling, and keep the best epoch's weights.

    "Early Stopping - But When?" (Prechelt, in Neural Networks: Tricks of the Trade, 1998). A patience of at least the
    number of epochs never stops and still keeps the best epoch. A loss that is not a number counts as no improvement.

    Options:
        patience: epochs without an improvement after which training ends; 0 is off.
        min_delta: how far the validation loss must fall below its best to count as an improvement.
        restore_best: whether the weights of the epoch with the lowest validation loss are kept, or the last ones.
    """

    beside = True

    def __init__(
        self,
        *,
        patience: Annotated[int, Field(ge=0, le=1_000_000)] = 0,
        min_delta: Annotated[float, Field(ge=0)] = 0.0,
        restore_best: bool = True,
    ) -> None:
        super().__init__()
        self.patience = patience
        self.min_delta = min_delta
        self.restore_best = restore_best

    @property
    def active(self) -> bool:
        """Return whether training can end early."""
        return self.patience > 0

    def should_stop(self, losses: Sequence[float]) -> bool:
        """Return whether `patience` epochs have passed since the last improvement by more than `min_delta`."""
        best, improved = math.inf, -1
        for epoch, loss in enumerate(losses):
            if loss < best - self.min_delta:
                best, improved = loss, epoch
        return len(losses) - 1 - improved >= self.patience

    def kept_epoch(self, losses: Sequence[float]) -> int:
        """Return the first index of the lowest loss, or the last index where the best is not restored."""
        if not self.restore_best:
            return len(losses) - 1
        return min(range(len(losses)), key=lambda epoch: (_comparable(losses[epoch]), epoch))


def _comparable(loss: float) -> float:
    return math.inf if math.isnan(loss) else loss
