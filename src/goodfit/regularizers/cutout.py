"""Cutout by feature."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.noise import along, uniform
from goodfit.regularizers.pairing import by_feature, by_row
from goodfit.regularizers.rows import Rows

UNKNOWN = 1
"""The code of a level that training has not seen; its vector starts at zero."""


@REGULARIZERS.register(
    "cutout",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="DeVries and Taylor, Improved Regularization of Convolutional Networks with Cutout, 2017, arXiv:1708.04552",
)
class Cutout(Regularizer):
    """Hide some features of a row; its target stays.

    "Improved Regularization of Convolutional Neural Networks with Cutout" (DeVries and Taylor, 2017, arXiv:1708.04552),
    whose patch is a set of features here, as in the regularization cocktail (Kadra et al., NeurIPS 2021,
    arXiv:2106.11189). A hidden feature is hidden whole: a number becomes its mean, without its missing flag; a one-hot
    category has no level; an embedded one becomes the unknown level.

    Options:
        probability: that a row has features hidden; 0 is off.
        ratio: share of the features that are hidden in such a row, on average; 0 is off.
    """

    stacks = True
    varies = ("probability", "ratio")
    one_of = "augmentation"
    chance: Tensor
    share: Tensor

    def __init__(
        self,
        *,
        probability: Annotated[float, Field(ge=0, le=1)] = 0.0,
        ratio: Annotated[float, Field(ge=0, lt=1)] = 0.2,
    ) -> None:
        super().__init__()
        self._on = probability > 0 and ratio > 0
        self.register_strength("chance", probability)
        self.register_strength("share", ratio)

    @property
    def active(self) -> bool:
        """Return whether any feature is ever hidden."""
        return self._on

    def batch(self, rows: Rows, target: Tensor, classes: int) -> tuple[Rows, Tensor]:
        """Return the rows with features hidden."""
        row = by_row(rows)
        share = torch.where(uniform(row) < along(self.chance, row), along(self.share, row), 0.0)
        hidden = uniform(by_feature(rows)) < share[..., None]
        numeric = rows.numeric.masked_fill(rows.numeric_of(hidden), 0.0)
        return Rows(numeric, rows.categorical.masked_fill(rows.categorical_of(hidden), UNKNOWN), rows.layout), target
