"""Focal loss."""

from typing import Annotated

from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.noise import along

SMALLEST = 1e-6
"""Of the probability that a prediction gives to other classes: at 0 a power below 1 has no slope."""


@REGULARIZERS.register(
    "focal",
    tasks=("binary", "multiclass"),
    needs_hidden_layers=False,
    source="Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, arXiv:1708.02002",
)
class Focal(Regularizer):
    """Weigh each row's loss by (1 - p)^`gamma`, where p is the probability that the model gives its class.

    "Focal Loss for Dense Object Detection" (Lin et al., ICCV 2017, arXiv:1708.02002, equation 4): rows that are
    predicted well count less. For a target of several classes (mixed or smoothed labels) p is the mean over them. Only
    the training objective is weighed: losses that are reported or chosen by are not.

    Options:
        gamma: how much less a row counts that is predicted well; 0 is off.
    """

    stacks = True
    varies = ("gamma",)
    power: Tensor

    def __init__(self, *, gamma: Annotated[float, Field(ge=0, le=10)] = 0.0) -> None:
        super().__init__()
        self._gamma = gamma
        self.register_strength("power", gamma)

    @property
    def active(self) -> bool:
        """Return whether rows are weighed."""
        return self._gamma > 0

    def row_losses(self, losses: Tensor, logits: Tensor, target: Tensor, classes: int) -> Tensor:
        """Return the weighed losses."""
        missed = (1 - probability_of_target(logits, target)).clamp(min=SMALLEST)
        return losses * missed ** along(self.power, missed).to(missed.dtype)


def probability_of_target(logits: Tensor, target: Tensor) -> Tensor:
    """Return the probability of each row's class, [..., n].

    Args:
        logits: [..., n, outputs]; one output is the log odds of the second of two classes.
        target: [..., n] classes, or [..., n, classes] probabilities.
    """
    soft = target.ndim == logits.ndim
    if logits.shape[-1] == 1:
        positive = logits[..., 0].sigmoid()
        share = target[..., 1] if soft else target
        return share * positive + (1 - share) * (1 - positive)
    every = logits.softmax(dim=-1)
    return (every * target).sum(dim=-1) if soft else every.gather(-1, target.long()[..., None])[..., 0]
