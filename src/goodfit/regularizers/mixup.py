"""Mixup."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.noise import uniform
from goodfit.regularizers.pairing import by_row, mixed_targets, of_partners, partners, symmetric_beta
from goodfit.regularizers.rows import Rows


@REGULARIZERS.register(
    "mixup",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, arXiv:1710.09412",
)
class Mixup(Regularizer):
    """Train on weighted means of two rows of a batch and of their targets.

    "mixup: Beyond Empirical Risk Minimization" (Zhang et al., ICLR 2018, arXiv:1710.09412): a row keeps a part of
    itself from Beta(`alpha`, `alpha`) and takes the rest from a partner. One-hot columns mix like numbers; a category
    that is embedded is the partner's as often as its part says. In regression targets mix likewise.

    Options:
        alpha: of the Beta distribution: small values mix few rows, 1 mixes all parts alike; 0 is off.
    """

    stacks = True
    varies = ("alpha",)
    one_of = "augmentation"
    concentration: Tensor

    def __init__(self, *, alpha: Annotated[float, Field(ge=0, le=100)] = 0.0) -> None:
        super().__init__()
        self._alpha = alpha
        self.register_strength("concentration", alpha)

    @property
    def active(self) -> bool:
        """Return whether rows are mixed."""
        return self._alpha > 0

    def batch(self, rows: Rows, target: Tensor, classes: int) -> tuple[Rows, Tensor]:
        """Return the mixed rows and their mixed targets."""
        order = partners(rows)
        own = symmetric_beta(self.concentration, by_row(rows))
        part = own[..., None]
        numeric = part * rows.numeric + (1 - part) * of_partners(rows.numeric, order)
        codes = rows.categorical
        if codes.shape[-1]:
            mine = uniform(rows.numeric.new_empty(codes.shape)) < part
            codes = torch.where(mine, codes, of_partners(codes, order))
        return Rows(numeric, codes, rows.layout), mixed_targets(target, order, own, classes)
