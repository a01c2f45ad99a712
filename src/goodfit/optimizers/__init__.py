"""How weights move along their gradients."""

from goodfit.optimizers.adam import Adam
from goodfit.optimizers.adamw import AdamW
from goodfit.optimizers.base import OPTIMIZERS, Optimizer
from goodfit.optimizers.nadam import NAdam
from goodfit.optimizers.radam import RAdam
from goodfit.optimizers.rmsprop import RMSprop
from goodfit.optimizers.sgd import SGD
from goodfit.optimizers.stacked import StackedOptimizer

__all__ = ["OPTIMIZERS", "SGD", "Adam", "AdamW", "NAdam", "Optimizer", "RAdam", "RMSprop", "StackedOptimizer"]
