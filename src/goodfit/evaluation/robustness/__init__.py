"""Robustness: how much the predictions and the metric move when columns go missing or become noisy."""

from goodfit.evaluation.robustness.changes import missing, perturbed, spread, with_column
from goodfit.evaluation.robustness.sensitivity import Moved, moved

__all__ = ["Moved", "missing", "moved", "perturbed", "spread", "with_column"]
