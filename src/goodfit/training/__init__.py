"""From preprocessed rows to trained models: `fit` one, or `fit_population`."""

from goodfit.training.batches import usual_batch
from goodfit.training.curves import write_curves
from goodfit.training.divergence import DivergedError
from goodfit.training.fit import fit
from goodfit.training.population import GAP, Candidate, Finished, Judge, Pause, Relay, RowStore, fit_population
from goodfit.training.recipe import FORESEEN, Epoch, Fitted, Recipe, TrainingData, judged_by
from goodfit.training.refit import Found, Refitted, refit, together, with_refit
from goodfit.training.section import TrainingSection
from goodfit.training.seeds import derived
from goodfit.training.settings import FitSections
from goodfit.training.start import check_fit

__all__ = [
    "FORESEEN",
    "GAP",
    "Candidate",
    "DivergedError",
    "Epoch",
    "Finished",
    "FitSections",
    "Fitted",
    "Found",
    "Judge",
    "Pause",
    "Recipe",
    "Refitted",
    "Relay",
    "RowStore",
    "TrainingData",
    "TrainingSection",
    "check_fit",
    "derived",
    "fit",
    "fit_population",
    "judged_by",
    "refit",
    "together",
    "usual_batch",
    "with_refit",
    "write_curves",
]
