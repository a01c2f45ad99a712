"""Half a cosine wave, without restarts."""

import math
from typing import Annotated

from pydantic import Field

from goodfit.schedules.base import SCHEDULES, Schedule


@SCHEDULES.register("cosine")
class Cosine(Schedule):
    """Half a cosine wave from the base learning rate down to a share of it.

    The annealing of "SGDR: Stochastic Gradient Descent with Warm Restarts" (Loshchilov and Hutter, ICLR 2017,
    arXiv:1608.03983, equation 5) with a single period, the whole training.

    Options:
        final: the learning rate at the end, as a share of the base learning rate.
    """

    def __init__(self, *, final: Annotated[float, Field(ge=0, le=1)] = 0.0) -> None:
        self.final = final

    def multiplier(self, step: int, total: int) -> float:
        """Return the wave's height at `step` / `total`."""
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * step / total)) / 2
