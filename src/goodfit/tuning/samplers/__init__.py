"""Ways to propose settings: one file for each, one import line for each."""

from goodfit.tuning.samplers.base import SAMPLERS, Sampler, Settings
from goodfit.tuning.samplers.cmaes import CmaesSampler
from goodfit.tuning.samplers.gp import GpSampler
from goodfit.tuning.samplers.grid import GridSampler
from goodfit.tuning.samplers.nsga2 import Nsga2Sampler
from goodfit.tuning.samplers.qmc import QmcSampler
from goodfit.tuning.samplers.random import RandomSampler
from goodfit.tuning.samplers.tpe import TpeSampler

__all__ = [
    "SAMPLERS",
    "CmaesSampler",
    "GpSampler",
    "GridSampler",
    "Nsga2Sampler",
    "QmcSampler",
    "RandomSampler",
    "Sampler",
    "Settings",
    "TpeSampler",
]
