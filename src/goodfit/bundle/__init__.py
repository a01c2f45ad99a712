"""The model bundle: all a model needs to take raw rows, as safetensors and JSON. Loading it runs no code of it."""

from goodfit.bundle.answering import PredictionInterval, ThresholdRule
from goodfit.bundle.assembly import assembled, tensor
from goodfit.bundle.bundle import ROWS_AT_ONCE, Bundle
from goodfit.bundle.ensemble import Ensemble, Part, networks_in
from goodfit.bundle.record import MOST_NETWORKS
from goodfit.bundle.scoring import Scorer, _load_pyfunc
from goodfit.bundle.storage import load_bundle, save_bundle

__all__ = [
    "MOST_NETWORKS",
    "ROWS_AT_ONCE",
    "Bundle",
    "Ensemble",
    "Part",
    "PredictionInterval",
    "Scorer",
    "ThresholdRule",
    "_load_pyfunc",
    "assembled",
    "load_bundle",
    "networks_in",
    "save_bundle",
    "tensor",
]
