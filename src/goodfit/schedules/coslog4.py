"""Four ever longer waves."""

import math

from goodfit.schedules.base import SCHEDULES, Schedule

WAVES = 4


@SCHEDULES.register("coslog4")
class CosLog4(Schedule):
    """Four cosine waves from 0 to the base learning rate and back, each twice as long as the one before.

    The schedule of RealMLP ("Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data", Holzmüller,
    Grinsztajn and Steinwart, NeurIPS 2024, arXiv:2407.04491, equation 1). It begins and ends at 0, and is low three
    times in between: early stopping finds good epochs there.
    """

    def multiplier(self, step: int, total: int) -> float:
        """Return the height of the waves at (`step` + 1) / (`total` + 1), so that no step is wasted at 0."""
        share = (step + 1) / (total + 1)
        return (1 - math.cos(2 * math.pi * math.log2(1 + (2**WAVES - 1) * share))) / 2
