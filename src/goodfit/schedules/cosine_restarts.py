"""Several half cosine waves, each longer than the one before."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Annotated

from pydantic import Field

from goodfit.schedules.base import SCHEDULES, Schedule


@SCHEDULES.register("cosine_restarts")
class CosineRestarts(Schedule):
    """Half a cosine wave from the base learning rate down, and again from the top: each cycle longer than the last.

    "SGDR: Stochastic Gradient Descent with Warm Restarts" (Loshchilov and Hutter, ICLR 2017, arXiv:1608.03983, equation
    5). By default the cycles are 1/7, 2/7 and 4/7 of the training, the 15, 30 and 60 epochs of "Well-tuned Simple Nets
    Excel on Tabular Datasets" (Kadra et al., NeurIPS 2021, arXiv:2106.11189). `swa` averages the weights at the cycles'
    ends, and `snapshot_ensemble` keeps them.

    Options:
        cycles: number of waves.
        growth: length of a cycle over that of the one before.
        final: the learning rate at the end of each cycle, as a share of the base learning rate.
    """

    def __init__(
        self,
        *,
        cycles: Annotated[int, Field(ge=1, le=100)] = 3,
        growth: Annotated[float, Field(ge=1, le=10)] = 2.0,
        final: Annotated[float, Field(ge=0, le=1)] = 0.0,
    ) -> None:
        self.cycles = cycles
        self.growth = growth
        self.final = final

    def multiplier(self, step: int, total: int) -> float:
        """Return the height of the wave that `step` lies in."""
        ends = self.cycle_ends(total)
        cycle = bisect_right(ends, step)
        first = ends[cycle - 1] if cycle else 0
        share = (step - first) / (ends[cycle] - first)
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * share)) / 2

    def cycle_ends(self, total: int) -> Sequence[int]:
        """Return the ends to the nearest step; cycles of less than a step are left out."""
        reached = list(accumulate(self.growth**cycle for cycle in range(self.cycles)))
        return sorted({round(total * length / reached[-1]) for length in reached} - {0} | {total})
