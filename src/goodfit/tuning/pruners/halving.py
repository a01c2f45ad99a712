"""Successive halving."""

import math
from collections.abc import Set
from typing import Annotated

from pydantic import Field

from goodfit.tuning.pruners.base import PRUNERS, Contender, Pruner, Standing, best_share

SHARE = 27
"""The first rung lies after 1 / SHARE of the epochs. Measured on churn (64 trials of 30 epochs, six splits): rungs
after 1, 2, 4, 8 and 16 epochs that keep a half cost 55 % fewer epochs than rungs after 3 and 9 that keep a third, and
the best validation loss is not shown to differ (on average .0004 higher, standard error .0006)."""

FEWEST_STEPS = 16
"""Optimizer steps before the first rung, at least: after fewer, chance decides. Measured on four tables of 1,000 to
5,000 rows, which have 3 to 12 steps in an epoch (64 trials of 30 epochs, ten splits): the best validation loss was
lower in nine and as high in one, by 2.4 % in the median, for 1.6 times the seconds of a short search."""

EARLY = 8
"""Up to 1 / EARLY of the epochs a trial must also be among the best of its batch. A sampler that learns makes each
batch better than the one before, and a share of every batch then ends trials that are among the best of the search.
Measured on diamonds (64 trials of 30 epochs, nine splits), beside a share of every batch at all rungs: the best
validation loss is .6 % lower on average and lower in eight, for 17 % more epochs; at the first rungs, where most is
saved, to ask for the batch's best costs nothing (a quarter of the search alone, at three rungs: .7 % for 34 %). On
churn (seven splits) it is the same in five, lower in one and higher in one, for 13 % more."""


@PRUNERS.register("halving", replicas=1)
class HalvingPruner(Pruner):
    """Successive halving: at each rung only those train on that are among the best of the search so far.

    Rungs lie at epochs whose distance grows by the factor `reduction`, the last one below the full number. Compared is
    the best value so far, which is what a trial comes to in the end: a single epoch's goes up and down. The value is,
    as for every pruner, `valid/foreseen`: the validation loss, or that of the mean of an epoch's later weights where it
    is lower. A trial goes on if it is among the best 1/reduction of all trials that came to this rung, in this batch or
    before; in the first eighth of the epochs it must be among the best 1/reduction of its batch as well. Sources:
    Jamieson, Talwalkar, AISTATS 2016 (successive halving); Li et al., A System for Massively Parallel Hyperparameter
    Tuning, MLSys 2020 (comparison with earlier trials).

    Options:
        reduction: one of how many trials goes on at a rung.
        first: epoch of the first rung; null is a 27th of the epochs, but not before 16 optimizer steps.
    """

    def __init__(
        self, *, reduction: Annotated[int, Field(ge=2, le=16)] = 2, first: Annotated[int, Field(ge=1)] | None = None
    ) -> None:
        self.reduction, self.first = reduction, first

    def losers(self, standing: Standing) -> Set[int]:
        """Return those that lose at this rung."""
        if standing.epoch not in self._rungs(standing.epochs, standing.steps):
            return set()
        early = standing.epoch * EARLY <= standing.epochs
        return losers_of(standing, list(standing.running.values()), self.reduction, of_mates=early)

    def next_look(self, epoch: int, epochs: int, steps: int | None) -> int:
        """Return the next rung, or the last epoch where there is none."""
        return next((rung for rung in self._rungs(epochs, steps) if rung > epoch), epochs)

    def _rungs(self, epochs: int, steps: int | None) -> list[int]:
        return rungs(epochs, self.first or _first(epochs, steps), self.reduction)


def _first(epochs: int, steps: int | None) -> int:
    enough = 1 if steps is None else math.ceil(FEWEST_STEPS / steps)
    return max(epochs // SHARE, enough)


def rungs(epochs: int, first: int, reduction: int) -> list[int]:
    """Return the epochs after which trials are compared."""
    every, epoch = [], first
    while epoch < epochs:
        every.append(epoch)
        epoch *= reduction
    return every


def losers_of(standing: Standing, running: list[Contender], reduction: int, *, of_mates: bool) -> Set[int]:
    """Return those of the running trials that are not among the best of all that came so far.

    Args:
        standing: how things stand at a rung.
        running: who is judged.
        reduction: one of how many is among the best, never fewer than one.
        of_mates: whether they must be among the best of themselves as well.
    """
    values = {one.number: min(one.curve[: standing.epoch]) for one in standing.rivals()}
    mates = {one.number: values[one.number] for one in running}
    leaders = best_share(values, _share(values, reduction))
    if of_mates:
        leaders &= best_share(mates, _share(mates, reduction))
    return mates.keys() - leaders


def _share(values: dict[int, float], reduction: int) -> int:
    return math.ceil(len(values) / reduction)
