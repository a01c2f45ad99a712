"""A vector times the number."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from goodfit.models.numeric_embeddings.base import NUMERIC_EMBEDDINGS, NumericEmbedding, beside_rows, of_columns


@NUMERIC_EMBEDDINGS.register("linear")
class LinearEmbedding(NumericEmbedding):
    """Each column has a vector that its number multiplies, and one that is added.

    The feature tokenizer of "Revisiting Deep Learning Models for Tabular Data" (Gorishniy et al., NeurIPS 2021,
    arXiv:2106.11959, section 3.3).

    Options:
        width: numbers that stand for one.
    """

    def __init__(self, columns: int, *, width: Annotated[int, Field(ge=1, le=4096)] = 16) -> None:
        super().__init__()
        self.width = width
        self.weight = nn.Parameter(torch.randn(columns, width) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(columns * width))

    def forward(self, values: Tensor) -> Tensor:
        """Map [n, columns] to [n, columns, width]."""
        return values[..., None] * beside_rows(self.weight) + of_columns(self.bias, values.shape[-1])
