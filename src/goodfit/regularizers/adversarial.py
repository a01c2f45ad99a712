"""Adversarial training."""

from dataclasses import replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.noise import along
from goodfit.regularizers.rows import Rows


@REGULARIZERS.register(
    "adversarial",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Goodfellow et al., Explaining and Harnessing Adversarial Examples, ICLR 2015, arXiv:1412.6572",
)
class Adversarial(Regularizer):
    """Train on every row and on the same row moved by `epsilon` in the direction in which its loss rises fastest.

    "Explaining and Harnessing Adversarial Examples" (Goodfellow et al., ICLR 2015, arXiv:1412.6572, section 6): the
    fast gradient sign method. Only scaled numbers move, by `epsilon` of their standard deviations and without bounds;
    flags, levels and embedded categories stay, because half a category does not exist. A table without scaled numbers
    has nothing to move. A step costs about twice as much.

    Options:
        enabled: whether rows are moved; false is off.
        epsilon: how far each number moves, in standard deviations; 0 is off.
        share: of the moved rows' loss in the objective; the rest is that of the rows themselves.
    """

    stacks = True
    varies = ("epsilon", "share")
    one_of = "augmentation"
    step: Tensor
    weight: Tensor

    def __init__(
        self,
        *,
        enabled: bool = False,
        epsilon: Annotated[float, Field(ge=0, le=1000)] = 0.007,
        share: Annotated[float, Field(gt=0, le=1)] = 0.5,
    ) -> None:
        super().__init__()
        self._active = enabled and epsilon > 0
        self.register_strength("step", epsilon)
        self.register_strength("weight", share)

    @property
    def active(self) -> bool:
        """Return whether rows are moved."""
        return self._active

    def attack(self, rows: Rows, gradient: Tensor) -> Rows:
        """Return the rows with each scaled number moved by `epsilon` along the gradient's sign."""
        step = along(self.step, gradient).to(gradient.dtype) * rows.measured()
        return replace(rows, numeric=rows.numeric + step * torch.sign(gradient))

    def attacked(self, losses: Tensor, attacked: Tensor) -> Tensor:
        """Return the mean of both losses, by `share`."""
        return torch.lerp(losses, attacked, along(self.weight, losses).to(losses.dtype))
