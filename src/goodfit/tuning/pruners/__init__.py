"""Ways to end trials that are losing: one file for each, one import line for each."""

from goodfit.tuning.pruners.base import PRUNERS, Contender, Pruner, Standing
from goodfit.tuning.pruners.halving import HalvingPruner
from goodfit.tuning.pruners.hyperband import HyperbandPruner
from goodfit.tuning.pruners.median import MedianPruner
from goodfit.tuning.pruners.none import NonePruner
from goodfit.tuning.pruners.patient import PatientPruner
from goodfit.tuning.pruners.wilcoxon import WilcoxonPruner

__all__ = [
    "PRUNERS",
    "Contender",
    "HalvingPruner",
    "HyperbandPruner",
    "MedianPruner",
    "NonePruner",
    "PatientPruner",
    "Pruner",
    "Standing",
    "WilcoxonPruner",
]
