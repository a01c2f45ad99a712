"""The ways to keep a model from fitting noise."""

from goodfit.regularizers.adversarial import Adversarial
from goodfit.regularizers.base import PURE, REGULARIZERS, Regularizer
from goodfit.regularizers.batch_norm import BatchNorm
from goodfit.regularizers.class_weights import ClassWeights
from goodfit.regularizers.cutmix import CutMix
from goodfit.regularizers.cutout import Cutout
from goodfit.regularizers.dropout import Dropout
from goodfit.regularizers.early_stopping import EarlyStopping
from goodfit.regularizers.ema import EMA
from goodfit.regularizers.focal import Focal
from goodfit.regularizers.gradient_clip import GradientClip
from goodfit.regularizers.gradient_noise import GradientNoise
from goodfit.regularizers.group_norm import GroupNorm
from goodfit.regularizers.input_noise import InputNoise
from goodfit.regularizers.l1 import L1
from goodfit.regularizers.label_smoothing import LabelSmoothing
from goodfit.regularizers.layer_norm import LayerNorm
from goodfit.regularizers.lookahead import Lookahead
from goodfit.regularizers.max_norm import MaxNorm
from goodfit.regularizers.mixup import Mixup
from goodfit.regularizers.moment import Moment
from goodfit.regularizers.r_drop import RDrop
from goodfit.regularizers.regularization import Regularization
from goodfit.regularizers.rows import Rows
from goodfit.regularizers.sam import SAM
from goodfit.regularizers.shake_drop import ShakeDrop
from goodfit.regularizers.shake_shake import ShakeShake
from goodfit.regularizers.skip_connections import SkipConnections
from goodfit.regularizers.snapshot_ensemble import SnapshotEnsemble
from goodfit.regularizers.spectral_norm import SpectralNorm
from goodfit.regularizers.stochastic_depth import StochasticDepth
from goodfit.regularizers.swa import SWA
from goodfit.regularizers.weight_decay import WeightDecay

# Last, because the section has one field for each member above.
from goodfit.regularizers.section import RegularizationSection, applicability_faults, program  # isort: skip

__all__ = [
    "EMA",
    "L1",
    "PURE",
    "REGULARIZERS",
    "SAM",
    "SWA",
    "Adversarial",
    "BatchNorm",
    "ClassWeights",
    "CutMix",
    "Cutout",
    "Dropout",
    "EarlyStopping",
    "Focal",
    "GradientClip",
    "GradientNoise",
    "GroupNorm",
    "InputNoise",
    "LabelSmoothing",
    "LayerNorm",
    "Lookahead",
    "MaxNorm",
    "Mixup",
    "Moment",
    "RDrop",
    "Regularization",
    "RegularizationSection",
    "Regularizer",
    "Rows",
    "ShakeDrop",
    "ShakeShake",
    "SkipConnections",
    "SnapshotEnsemble",
    "SpectralNorm",
    "StochasticDepth",
    "WeightDecay",
    "applicability_faults",
    "program",
]
