"""The model families."""

from goodfit.models.base import MODELS, HiddenBlocks, Inputs, Model, NoBlocks
from goodfit.models.linear import LinearModel
from goodfit.models.mlp import MLP

__all__ = ["MLP", "MODELS", "HiddenBlocks", "Inputs", "LinearModel", "Model", "NoBlocks"]
