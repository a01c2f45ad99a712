"""How far a number has come through each of its bins."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from goodfit.models.layers import beside_rows, mapped, of_columns
from goodfit.models.numeric_embeddings.base import NUMERIC_EMBEDDINGS, WIDTH, NumericEmbedding, Width

STEEPEST = 1e6
"""Steps of a standard deviation that a bin may be narrow, at least; float32 tells no closer numbers apart."""


@NUMERIC_EMBEDDINGS.register("piecewise_linear")
class PiecewiseLinearEmbedding(NumericEmbedding):
    """A piecewise linear function of the number, with knots at quantiles of the train rows, for each column its own.

    "On Embeddings for Numerical Features in Tabular Deep Learning" (Gorishniy, Rubachev and Babenko, NeurIPS 2022,
    arXiv:2203.05556, section 3.2), in the form of "TabM" (Gorishniy, Kotelnikov and Babenko, ICLR 2025,
    arXiv:2410.24210): a linear embedding, and beside it the encoding by bins, whose weights start at zero. A bin says 0
    below it, 1 above it and its share within. Unlike there that also holds for the first and the last bin, so that
    beyond the train rows only the linear part goes on. Equal quantiles, as numbers that occur often give, are one knot.

    Options:
        bins: at most so many, with equally many train rows in each.
        width: numbers that stand for one; null is 16, and in ft_transformer the width of its tokens.
    """

    left: Tensor
    steepness: Tensor

    def __init__(
        self,
        columns: int,
        *,
        bins: Annotated[int, Field(ge=1, le=1000)] = 48,
        width: Width = None,
    ) -> None:
        super().__init__()
        self.width = width = width or WIDTH
        self.scale = nn.Parameter(torch.randn(columns, width) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(columns * width))
        self.weight = nn.Parameter(torch.zeros(columns, bins, width))
        self.register_buffer("left", torch.zeros(columns, bins))
        self.register_buffer("steepness", torch.zeros(columns, bins))
        # Before it has met any rows: numbers as `scaling: quantile` gives them.
        shares = (torch.arange(bins + 1, dtype=torch.float64) + 0.5) / (bins + 1)
        self.meet(torch.special.ndtri(shares).float()[:, None].expand(-1, columns))

    @property
    def widest(self) -> int:
        """Return the number of bins, or `width`."""
        return max(self.width, int(self.left.shape[-1]))

    def meet(self, quantiles: Tensor) -> None:
        """Put the knots where the quantiles [q, columns] are."""
        bins = self.left.shape[-1]
        places = torch.linspace(0, len(quantiles) - 1, bins + 1).round().long()
        self.left.zero_()
        self.steepness.zero_()  # a bin that is none says 0 everywhere
        for column, knots in enumerate(quantiles[places].T):
            found = knots.unique()
            widths = found.diff()
            self.left[column, : len(widths)] = found[:-1]
            self.steepness[column, : len(widths)] = widths.reciprocal().clamp(max=STEEPEST)

    def forward(self, values: Tensor) -> Tensor:
        """Map [n, columns] to [n, columns, width]."""
        number = values[..., None]
        through = ((number - beside_rows(self.left)) * beside_rows(self.steepness)).clamp(0, 1)
        straight = number * beside_rows(self.scale) + of_columns(self.bias, values.shape[-1])
        return straight + mapped(through, self.weight)
