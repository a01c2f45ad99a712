"""The model families."""

from goodfit.models.base import MODELS, HiddenBlocks, Inputs, Model, NoBlocks
from goodfit.models.linear import LinearModel
from goodfit.models.mlp import MLP
from goodfit.models.numeric_embeddings import NUMERIC_EMBEDDINGS, TrainRows
from goodfit.models.resnet import ResNet

__all__ = [
    "MLP",
    "MODELS",
    "NUMERIC_EMBEDDINGS",
    "HiddenBlocks",
    "Inputs",
    "LinearModel",
    "Model",
    "NoBlocks",
    "ResNet",
    "TrainRows",
]
