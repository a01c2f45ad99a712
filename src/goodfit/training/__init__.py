"""From preprocessed rows to one trained model: `fit`."""

from goodfit.training.curves import write_curves
from goodfit.training.divergence import DivergedError
from goodfit.training.fit import check_fit, fit
from goodfit.training.recipe import Epoch, Fitted, Recipe, TrainingData
from goodfit.training.section import TrainingSection
from goodfit.training.seeds import derived
from goodfit.training.settings import FitSections

__all__ = [
    "DivergedError",
    "Epoch",
    "FitSections",
    "Fitted",
    "Recipe",
    "TrainingData",
    "TrainingSection",
    "check_fit",
    "derived",
    "fit",
    "write_curves",
]
