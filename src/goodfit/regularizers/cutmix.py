"""CutMix by feature."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.noise import along, uniform
from goodfit.regularizers.pairing import by_feature, by_row, mixed_targets, of_partners, partners
from goodfit.regularizers.rows import Rows


@REGULARIZERS.register(
    "cutmix",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers, ICCV 2019, arXiv:1905.04899",
)
class CutMix(Regularizer):
    """Replace some features of a row by those of a partner, and as large a part of its target.

    "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features" (Yun et al., ICCV 2019,
    arXiv:1905.04899), whose patch is a set of features here, as in the regularization cocktail (Kadra et al., NeurIPS
    2021, arXiv:2106.11189): its share is uniform from 0 to 1, the paper's Beta(1, 1). A feature moves whole, with all
    its one-hot columns and its missing flag, and the target mixes by the features that moved.

    Options:
        probability: that a row is mixed; 0 is off.
    """

    stacks = True
    varies = ("probability",)
    one_of = "augmentation"
    chance: Tensor

    def __init__(self, *, probability: Annotated[float, Field(ge=0, le=1)] = 0.0) -> None:
        super().__init__()
        self._probability = probability
        self.register_strength("chance", probability)

    @property
    def active(self) -> bool:
        """Return whether any row is mixed."""
        return self._probability > 0

    def batch(self, rows: Rows, target: Tensor, classes: int) -> tuple[Rows, Tensor]:
        """Return the mixed rows and their mixed targets."""
        order = partners(rows)
        row = by_row(rows)
        share = torch.where(uniform(row) < along(self.chance, row), uniform(row), 0.0)
        cut = uniform(by_feature(rows)) < share[..., None]
        numeric = torch.where(rows.numeric_of(cut), of_partners(rows.numeric, order), rows.numeric)
        codes = torch.where(rows.categorical_of(cut), of_partners(rows.categorical, order), rows.categorical)
        own = 1 - cut.float().mean(dim=-1)
        return Rows(numeric, codes, rows.layout), mixed_targets(target, order, own, classes)
