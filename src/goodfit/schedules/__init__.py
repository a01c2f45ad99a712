"""How the learning rate moves over a training."""

from goodfit.schedules.base import SCHEDULES, Schedule
from goodfit.schedules.constant import Constant
from goodfit.schedules.cosine import Cosine
from goodfit.schedules.cosine_restarts import CosineRestarts
from goodfit.schedules.coslog4 import CosLog4
from goodfit.schedules.one_cycle import OneCycle
from goodfit.schedules.step import Step
from goodfit.schedules.warmup_cosine import WarmupCosine

__all__ = [
    "SCHEDULES",
    "Constant",
    "CosLog4",
    "Cosine",
    "CosineRestarts",
    "OneCycle",
    "Schedule",
    "Step",
    "WarmupCosine",
]
