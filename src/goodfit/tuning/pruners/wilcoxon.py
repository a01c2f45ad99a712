"""A paired test over folds and seeds."""

from collections.abc import Set
from typing import Annotated

from pydantic import Field

from goodfit.tuning.pruners.base import PRUNERS, Contender, Curve, Pruner, Standing


@PRUNERS.register("wilcoxon", replicas=4)
class WilcoxonPruner(Pruner):
    """A paired test: a trial ends when it is worse than the best one on the same folds and seeds, beyond chance.

    It needs `tune.folds` times `tune.seeds` of at least 4, for fewer pairs can prove nothing. Source: Wilcoxon,
    Individual comparisons by ranking methods, Biometrics Bulletin 1, 1945.

    Options:
        risk: one-sided probability of ending a trial that is not worse, at one comparison.
        warmup: epochs that every trial is given.
    """

    def __init__(
        self, *, risk: Annotated[float, Field(gt=0, lt=1)] = 0.1, warmup: Annotated[int, Field(ge=0)] = 3
    ) -> None:
        self.risk, self.warmup = risk, warmup

    def losers(self, standing: Standing) -> Set[int]:
        """Return those that are worse than the leader of this epoch."""
        if standing.epoch <= self.warmup:
            return set()
        leader = min(standing.rivals(), key=lambda one: (one.curve[standing.epoch - 1], one.number))
        pairs = {number: _differences(one, leader, standing.epoch) for number, one in standing.running.items()}
        return {number for number, differences in pairs.items() if self._worse(differences)}

    def _worse(self, differences: list[float]) -> bool:
        if not any(differences) or sum(differences) <= 0:
            return False
        from scipy.stats import wilcoxon  # half a second that no other pruner needs

        return bool(wilcoxon(differences, alternative="greater", zero_method="zsplit").pvalue < self.risk)


def _differences(one: Contender, leader: Contender, epoch: int) -> list[float]:
    pairs = zip(one.replicas, leader.replicas, strict=False)
    return [_at(mine, epoch) - _at(theirs, epoch) for mine, theirs in pairs]


def _at(curve: Curve, epoch: int) -> float:
    """A fold that has stopped by itself keeps its last value."""
    return curve[min(epoch, len(curve)) - 1]
