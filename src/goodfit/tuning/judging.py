"""Judge a batch while it trains: mean the folds and seeds of each trial, ask the pruner, and hold to the budget.

A judge knows the journal up to its batch and the curves so far, nothing else. So a batch that is resumed from its
checkpoints is judged as it would have been, but for what a clock decides.
"""

import statistics
from collections.abc import Callable, Collection, Mapping

from goodfit.tuning.batch import Batch
from goodfit.tuning.pruners import Contender, Pruner, Standing
from goodfit.tuning.trial import Trial

LEAD = 4
"""Epochs, at most, that paused trials train while the next batch is proposed, built and in its first epoch, so that
meanwhile no core waits: about what small networks have time for then; large ones take no longer than that epoch."""


class Judge:
    """Says which members of a batch stop after an epoch.

    Args:
        pruner: which trials lose.
        batch: what is trained.
        replicas: members per trial; member m belongs to proposal m // replicas, by its number.
        epochs: number of epochs of each proposal, by number.
        limit: epochs that the whole search may take, if any.
        late: returns whether the search's time is up.
        steps: optimizer steps of an epoch of each proposal, by number.
    """

    def __init__(
        self,
        pruner: Pruner,
        batch: Batch,
        replicas: int,
        epochs: Mapping[int, int],
        limit: int | None = None,
        late: Callable[[], bool] = lambda: False,
        steps: Mapping[int, int] | None = None,
    ) -> None:
        self._steps = steps
        self._pruner, self._replicas, self._epochs, self._late = pruner, replicas, epochs, late
        self._left = None if limit is None else limit - batch.spent_epochs
        self._past = [contender(trial) for trial in batch.earlier if trial.state != "FAIL"]
        self.over = False
        self._spare: int | None = None
        self._one_before = any(trial.state == "COMPLETE" for trial in batch.earlier)
        self._curves: dict[int, list[float]] = {}

    def heard(self, member: int, epoch: int, value: float) -> None:
        """Note the objective of a member after an epoch; hearing it twice changes nothing."""
        curve = self._curves.setdefault(member, [])
        if epoch == len(curve) + 1:
            curve.append(value)

    def __call__(self, epoch: int, values: Mapping[int, float]) -> Collection[int]:
        """Return the members that stop, given the objective of every member that trains and is at this epoch."""
        for member, value in sorted(values.items()):
            self.heard(member, epoch, value)
        running = {number: self._contender(number) for number in sorted({m // self._replicas for m in values})}
        losers = self._losers(epoch, running)
        return {member for member in values if member // self._replicas in losers}

    def lead(self, behind: Mapping[int, int]) -> int:
        """Return how many epochs paused members can train without being judged, at least 1; see `Lead`.

        Args:
            behind: epochs that each of them has behind it.
        """
        if self._left is not None:
            return 1
        looks = [self._next_look(epoch, behind) - epoch for epoch in behind.values()]
        return max(1, min(LEAD, *looks))

    def _next_look(self, epoch: int, behind: Mapping[int, int]) -> int:
        mates = [member // self._replicas for member, other in behind.items() if other == epoch]
        fewest = None if self._steps is None else min(self._steps[number] for number in mates)
        return self._pruner.next_look(epoch, max(self._epochs[number] for number in mates), fewest)

    def _losers(self, epoch: int, running: Mapping[int, Contender]) -> set[int]:
        spare = self._best(running)
        if self._spent(epoch, spare):
            return {number for number in running if not self._whole(number)} - self._spared(running, spare)
        longest = max(self._epochs[number] for number in running)
        others = [self._contender(number) for number in sorted(self._numbers() - running.keys())]
        fewest = None if self._steps is None else min(self._steps[number] for number in running)
        return set(self._pruner.losers(Standing(epoch, longest, running, [*self._past, *others], fewest)))

    def _spared(self, running: Mapping[int, Contender], best: int) -> set[int]:
        """Return who trains on although the budget is spent: one trial, while none has completed."""
        self.over = True
        if self._settled():
            return set()
        if self._spare is None:
            self._spare = best
        return {self._spare} & running.keys()

    def _spent(self, epoch: int, spare: int) -> bool:
        """Return whether the budget is used up; while no trial has completed, the best one's way to its end counts."""
        if self._late():
            return True
        if self._left is None:
            return False
        ahead = 0 if self._settled() else (self._epochs[spare] - epoch) * self._replicas
        return sum(map(len, self._curves.values())) + ahead >= self._left

    def _settled(self) -> bool:
        """Return whether a trial has completed, as far as curves tell: one that stopped by itself counts later."""
        return self._one_before or any(map(self._whole, self._numbers()))

    def _whole(self, number: int) -> bool:
        members = range(number * self._replicas, (number + 1) * self._replicas)
        return all(len(self._curves.get(member, ())) >= self._epochs[number] for member in members)

    def _best(self, running: Mapping[int, Contender]) -> int:
        return min(running, key=lambda number: (min(running[number].curve), number))

    def _numbers(self) -> set[int]:
        return {member // self._replicas for member in self._curves}

    def _contender(self, number: int) -> Contender:
        first = number * self._replicas
        members = [self._curves[m] for m in range(first, first + self._replicas) if m in self._curves]
        return Contender(number, mean_curve(members), tuple(map(tuple, members)))


def contender(trial: Trial) -> Contender:
    """Return a finished trial as pruners see it."""
    curve = tuple(trial.judged)
    return Contender(trial.number, curve, tuple(map(tuple, trial.replicas)) or (curve,))


def mean_curve(curves: list[list[float]]) -> tuple[float, ...]:
    """Return the mean after each epoch; a curve that ended earlier counts with its last value."""
    longest = max(map(len, curves), default=0)
    return tuple(
        statistics.fmean(curve[min(epoch, len(curve) - 1)] for curve in curves if curve) for epoch in range(longest)
    )
