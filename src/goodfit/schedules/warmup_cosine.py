"""A short rise, then half a cosine wave."""

import math
from typing import Annotated

from pydantic import Field

from goodfit.schedules.base import SCHEDULES, Schedule


@SCHEDULES.register("warmup_cosine")
class WarmupCosine(Schedule):
    """A linear rise over the first steps, then half a cosine wave down.

    The warm-up of "Accurate, Large Minibatch SGD" (Goyal et al., 2017, arXiv:1706.02677, section 2.2) before the
    annealing of SGDR (Loshchilov and Hutter, arXiv:1608.03983).

    Options:
        warmup: the share of the training in which the learning rate rises.
        final: the learning rate at the end, as a share of the base learning rate.
    """

    def __init__(
        self,
        *,
        warmup: Annotated[float, Field(ge=0, lt=1)] = 0.05,
        final: Annotated[float, Field(ge=0, le=1)] = 0.0,
    ) -> None:
        self.warmup = warmup
        self.final = final

    def multiplier(self, step: int, total: int) -> float:
        """Return (`step` + 1) / (rise + 1) while rising, so that no step is wasted at 0; then the wave's height."""
        rise = math.ceil(self.warmup * total)
        if step < rise:
            return (step + 1) / (rise + 1)
        wave = (1 + math.cos(math.pi * (step - rise) / max(total - rise, 1))) / 2
        return self.final + (1 - self.final) * wave
