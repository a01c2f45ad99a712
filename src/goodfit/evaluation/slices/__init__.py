"""Slices: parts of the rows named by one or two columns, and where among them a model fails."""

from goodfit.evaluation.slices.coding import Coder, learn_coders
from goodfit.evaluation.slices.confirming import Confirmed, confirm
from goodfit.evaluation.slices.declared import Declared, declared_slices
from goodfit.evaluation.slices.figures import SliceFigures, slice_figures
from goodfit.evaluation.slices.losses import Excess, excess_losses, row_losses
from goodfit.evaluation.slices.parity import parity_tables, rates_of
from goodfit.evaluation.slices.search import Condition, Slice, search

__all__ = [
    "Coder",
    "Condition",
    "Confirmed",
    "Declared",
    "Excess",
    "Slice",
    "SliceFigures",
    "confirm",
    "declared_slices",
    "excess_losses",
    "learn_coders",
    "parity_tables",
    "rates_of",
    "row_losses",
    "search",
    "slice_figures",
]
