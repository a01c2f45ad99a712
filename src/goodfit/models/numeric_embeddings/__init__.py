"""Numeric embeddings: from one number to several, before the first layer. One file and one import line for each."""

from goodfit.models.numeric_embeddings.base import NUMERIC_EMBEDDINGS, NumericEmbedding, TrainRows
from goodfit.models.numeric_embeddings.linear import LinearEmbedding
from goodfit.models.numeric_embeddings.none import NoEmbedding
from goodfit.models.numeric_embeddings.periodic import PeriodicEmbedding
from goodfit.models.numeric_embeddings.piecewise_linear import PiecewiseLinearEmbedding

AS_THEY_ARE = NUMERIC_EMBEDDINGS["none"].options()
"""The options of no embedding at all."""
AS_TOKENS = NUMERIC_EMBEDDINGS["linear"].options()
"""The options of a plain feature tokenizer."""

__all__ = [
    "AS_THEY_ARE",
    "AS_TOKENS",
    "NUMERIC_EMBEDDINGS",
    "LinearEmbedding",
    "NoEmbedding",
    "NumericEmbedding",
    "PeriodicEmbedding",
    "PiecewiseLinearEmbedding",
    "TrainRows",
]
