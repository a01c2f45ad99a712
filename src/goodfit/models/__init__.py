"""The model families."""

from goodfit.models.base import MODELS, HiddenBlocks, Inputs, Model, NoBlocks
from goodfit.models.ft_transformer import FTTransformer
from goodfit.models.linear import LinearModel
from goodfit.models.mlp import MLP
from goodfit.models.numeric_embeddings import NUMERIC_EMBEDDINGS, TrainRows
from goodfit.models.resnet import ResNet
from goodfit.models.tabm import TabM

__all__ = [
    "MLP",
    "MODELS",
    "NUMERIC_EMBEDDINGS",
    "FTTransformer",
    "HiddenBlocks",
    "Inputs",
    "LinearModel",
    "Model",
    "NoBlocks",
    "ResNet",
    "TabM",
    "TrainRows",
]
