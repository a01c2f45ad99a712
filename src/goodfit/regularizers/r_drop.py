"""R-Drop."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.noise import along
from goodfit.regularizers.rows import Rows


@REGULARIZERS.register(
    "r_drop",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=True,
    source="Liang et al., R-Drop: Regularized Dropout for Neural Networks, NeurIPS 2021, arXiv:2106.14448",
)
class RDrop(Regularizer):
    """Show every row twice in a step, with dropout of its own each time, and pull both predictions together.

    "R-Drop: Regularized Dropout for Neural Networks" (Liang et al., NeurIPS 2021, arXiv:2106.14448, equation 4, halved,
    so that the learning rate keeps its meaning): the mean of both losses and `strength` / 2 times the mean of the
    Kullback-Leibler divergences in both directions; in regression, the squared difference of both predictions. A step
    costs about twice as much.

    Options:
        strength: weight of the divergence (alpha of the paper); 0 is off.
    """

    stacks = True
    varies = ("strength",)
    parent = "dropout"
    weight: Tensor

    def __init__(self, *, strength: Annotated[float, Field(ge=0, le=100)] = 0.0) -> None:
        super().__init__()
        self._strength = strength
        self.register_strength("weight", strength)

    @property
    def active(self) -> bool:
        """Return whether predictions are pulled together."""
        return self._strength > 0

    def batch(self, rows: Rows, target: Tensor, classes: int) -> tuple[Rows, Tensor]:
        """Return every row twice: the batch, then the batch again."""
        along_rows = target.ndim - (2 if target.ndim == rows.numeric.ndim else 1)
        doubled = Rows(torch.cat([rows.numeric] * 2, -2), torch.cat([rows.categorical] * 2, -2), rows.layout)
        return doubled, torch.cat([target] * 2, along_rows)

    def row_losses(self, losses: Tensor, logits: Tensor, target: Tensor, classes: int) -> Tensor:
        """Return each loss with its share of the divergence between the two predictions of its row."""
        first, second = logits.chunk(2, dim=-2)
        apart = divergence(first, second, classes)
        return losses + along(self.weight, losses).to(losses.dtype) / 2 * torch.cat([apart, apart], -1)


def divergence(first: Tensor, second: Tensor, classes: int) -> Tensor:
    """Return [..., n], half of KL(first || second) + KL(second || first) of logits [..., n, outputs].

    With two classes and one output it is that of the two Bernoulli distributions; without classes, the squared
    difference of the values.
    """
    if not classes:
        return (first[..., 0] - second[..., 0]).square()
    if first.shape[-1] == 1:
        return (first.sigmoid() - second.sigmoid())[..., 0] * (first - second)[..., 0] / 2
    logs = functional.log_softmax(first, dim=-1), functional.log_softmax(second, dim=-1)
    return ((logs[0].exp() - logs[1].exp()) * (logs[0] - logs[1])).sum(dim=-1) / 2
