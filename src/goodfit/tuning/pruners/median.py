"""The median rule."""

import statistics
from collections.abc import Set
from typing import Annotated

from pydantic import Field

from goodfit.tuning.pruners.base import PRUNERS, Pruner, Standing


@PRUNERS.register("median", replicas=1)
class MedianPruner(Pruner):
    """The median rule: a trial ends when its best value so far is worse than the median of the others at this epoch.

    Source: Golovin et al., Google Vizier, KDD 2017.

    Options:
        startup: number of trials that must have come to an epoch before anyone is ended there.
        warmup: epochs that every trial is given.
    """

    def __init__(self, *, startup: Annotated[int, Field(ge=1)] = 5, warmup: Annotated[int, Field(ge=0)] = 3) -> None:
        self.startup, self.warmup = startup, warmup

    def losers(self, standing: Standing) -> Set[int]:
        """Return those behind the median."""
        values = [one.curve[standing.epoch - 1] for one in standing.rivals()]
        if standing.epoch <= self.warmup or len(values) < self.startup:
            return set()
        median = statistics.median(values)
        return {number for number, one in standing.running.items() if min(one.curve) > median}
