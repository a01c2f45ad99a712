"""Sines and cosines of the number."""

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from goodfit.models.layers import mapped, of_columns
from goodfit.models.numeric_embeddings.base import NUMERIC_EMBEDDINGS, WIDTH, NumericEmbedding, Width


@NUMERIC_EMBEDDINGS.register("periodic")
class PeriodicEmbedding(NumericEmbedding):
    """Sines and cosines of learned frequencies, then a linear map and a ReLU, for each column its own.

    PLR of "On Embeddings for Numerical Features in Tabular Deep Learning" (Gorishniy, Rubachev and Babenko, NeurIPS
    2022, arXiv:2203.05556, section 3.3). Frequencies begin normal, with the deviation `sigma` cut off at three times
    itself: the larger it is, the finer is what a column may say, and the sooner it learns noise.

    Options:
        width: numbers that stand for one; null is 16, and in ft_transformer the width of its tokens.
        frequencies: sines, and as many cosines, of each number.
        sigma: deviation of the first frequencies, in turns per standard deviation of a column scaled so.
    """

    def __init__(
        self,
        columns: int,
        *,
        width: Width = None,
        frequencies: Annotated[int, Field(ge=1, le=4096)] = 32,
        sigma: Annotated[float, Field(gt=0, le=1000)] = 0.1,
    ) -> None:
        super().__init__()
        self.width = width = width or WIDTH
        first = torch.empty(columns * frequencies)
        self.frequencies = nn.Parameter(nn.init.trunc_normal_(first, std=sigma, a=-3 * sigma, b=3 * sigma))
        # A sine and its cosine have the squared length 1, and a ReLU keeps half of a symmetric sum's.
        size = (2 / (frequencies * width)) ** 0.5
        self.weight = nn.Parameter(torch.randn(columns, 2 * frequencies, width) * size)
        self.bias = nn.Parameter(torch.zeros(columns * width))

    @property
    def widest(self) -> int:
        """Return the number of sines and cosines, or `width`."""
        return max(self.width, int(self.weight.shape[-2]))

    def forward(self, values: Tensor) -> Tensor:
        """Map [n, columns] to [n, columns, width]."""
        columns = values.shape[-1]
        angles = 2 * math.pi * values[..., None] * of_columns(self.frequencies, columns)
        waves = torch.cat((angles.cos(), angles.sin()), dim=-1)
        return functional.relu(mapped(waves, self.weight) + of_columns(self.bias, columns))
