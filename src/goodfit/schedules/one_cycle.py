"""Up, then far down."""

import math
from typing import Annotated

from pydantic import Field

from goodfit.schedules.base import SCHEDULES, Schedule


@SCHEDULES.register("one_cycle")
class OneCycle(Schedule):
    """One rise to the optimizer's `lr` and one longer fall to almost nothing, both along half a cosine wave.

    "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates" (Smith and Topin, 2017,
    arXiv:1708.07120), in the two-phase form that `torch.optim.lr_scheduler.OneCycleLR` has, without its cycling of
    momentum. Here `lr` is the peak, and the start and the end are shares of it.

    Options:
        rise: the share of the training in which the learning rate rises.
        start: the learning rate at the beginning, as a share of the peak.
        final: the learning rate at the end, as a share of the peak.
    """

    def __init__(
        self,
        *,
        rise: Annotated[float, Field(gt=0, lt=1)] = 0.3,
        start: Annotated[float, Field(ge=0, le=1)] = 0.04,
        final: Annotated[float, Field(ge=0, le=1)] = 4e-6,
    ) -> None:
        self.rise = rise
        self.start = start
        self.final = final

    def multiplier(self, step: int, total: int) -> float:
        """Return the height of the cycle at `step`; the peak is at `rise` x `total` - 1, as in torch."""
        peak = self.rise * total - 1
        if step <= peak:
            return _between(self.start, 1.0, step / peak) if peak else 1.0
        return _between(1.0, self.final, (step - max(peak, 0)) / max(total - 1 - max(peak, 0), 1))


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
