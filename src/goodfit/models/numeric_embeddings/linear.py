"""A vector times the number."""

import torch
from torch import Tensor, nn

from goodfit.models.layers import beside_rows, of_columns
from goodfit.models.numeric_embeddings.base import NUMERIC_EMBEDDINGS, WIDTH, NumericEmbedding, Width


@NUMERIC_EMBEDDINGS.register("linear")
class LinearEmbedding(NumericEmbedding):
    """Each column has a vector that its number multiplies, and one that is added.

    The feature tokenizer of "Revisiting Deep Learning Models for Tabular Data" (Gorishniy et al., NeurIPS 2021,
    arXiv:2106.11959, section 3.3).

    Options:
        width: numbers that stand for one; null is 16, and in ft_transformer the width of its tokens.
    """

    def __init__(self, columns: int, *, width: Width = None) -> None:
        super().__init__()
        self.width = width = width or WIDTH
        self.weight = nn.Parameter(torch.randn(columns, width) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(columns * width))

    def forward(self, values: Tensor) -> Tensor:
        """Map [n, columns] to [n, columns, width]."""
        return values[..., None] * beside_rows(self.weight) + of_columns(self.bias, values.shape[-1])
