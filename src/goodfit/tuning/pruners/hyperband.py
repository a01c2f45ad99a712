"""Successive halving at several paces."""

from collections.abc import Set
from typing import Annotated

from pydantic import Field

from goodfit.tuning.pruners.base import PRUNERS, Pruner, Standing
from goodfit.tuning.pruners.halving import losers_of, rungs


@PRUNERS.register("hyperband", replicas=1)
class HyperbandPruner(Pruner):
    """Successive halving in brackets that differ in when they first compare, against curves that cross late.

    A trial belongs to the bracket that its number gives, and is compared within it. Source: Li et al., Hyperband, JMLR
    18, 2018.

    Options:
        reduction: one of how many trials goes on at a rung.
        brackets: how many brackets; the first compares after a ninth of the epochs, each other one later by
            `reduction`.
    """

    def __init__(
        self, *, reduction: Annotated[int, Field(ge=2, le=16)] = 3, brackets: Annotated[int, Field(ge=1, le=6)] = 3
    ) -> None:
        self.reduction, self.brackets = reduction, brackets

    def losers(self, standing: Standing) -> Set[int]:
        """Return the losers of every bracket that has a rung here."""
        lost: set[int] = set()
        for bracket in range(self.brackets):
            lost |= self._losers_in(bracket, standing)
        return lost

    def _losers_in(self, bracket: int, standing: Standing) -> Set[int]:
        first = max(1, standing.epochs // 9) * self.reduction**bracket
        running = {n: one for n, one in standing.running.items() if n % self.brackets == bracket}
        if not running or standing.epoch not in rungs(standing.epochs, first, self.reduction):
            return set()
        finished = [one for one in standing.finished if one.number % self.brackets == bracket]
        within = Standing(standing.epoch, standing.epochs, running, finished)
        return losers_of(within, list(running.values()), self.reduction, of_mates=True)
