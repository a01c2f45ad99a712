"""The ways to keep a model from fitting noise."""

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.batch_norm import BatchNorm
from goodfit.regularizers.dropout import Dropout
from goodfit.regularizers.early_stopping import EarlyStopping
from goodfit.regularizers.gradient_clip import GradientClip
from goodfit.regularizers.label_smoothing import LabelSmoothing
from goodfit.regularizers.regularization import Regularization
from goodfit.regularizers.rows import Rows
from goodfit.regularizers.weight_decay import WeightDecay

# Last, because the section has one field for each member above.
from goodfit.regularizers.section import RegularizationSection, applicability_faults, program  # isort: skip

__all__ = [
    "REGULARIZERS",
    "BatchNorm",
    "Dropout",
    "EarlyStopping",
    "GradientClip",
    "LabelSmoothing",
    "Regularization",
    "RegularizationSection",
    "Regularizer",
    "Rows",
    "WeightDecay",
    "applicability_faults",
    "program",
]
