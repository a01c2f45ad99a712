"""What a pruner is: a pure function of the curves so far that says which trials shall end here."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from goodfit.registry import Registry

Curve = tuple[float, ...]
"""The objective after each epoch, lower is better."""


@dataclass(frozen=True)
class Contender:
    """A trial as far as it has come.

    Args:
        number: of the trial.
        curve: mean objective over its folds and seeds after each epoch.
        replicas: the curve of each fold and seed, where there are several.
    """

    number: int
    curve: Curve
    replicas: tuple[Curve, ...] = ()

    def at(self, epoch: int) -> float | None:
        """Return the objective after an epoch, from 1; None where the trial never came."""
        return self.curve[epoch - 1] if epoch <= len(self.curve) else None


@dataclass(frozen=True)
class Standing:
    """How things stand after an epoch.

    Args:
        epoch: which, from 1.
        epochs: of a trial that is not ended.
        running: trials that still train, each with `epoch` values.
        finished: all others: trials of earlier batches, and batch-mates that have ended or are at another epoch.
        steps: optimizer steps of an epoch, the fewest of those that train; None where nobody counts them.
    """

    epoch: int
    epochs: int
    running: Mapping[int, Contender]
    finished: Sequence[Contender] = ()
    steps: int | None = None

    def rivals(self) -> list[Contender]:
        """Return every trial that came as far as this epoch."""
        return [*self.running.values(), *(one for one in self.finished if one.at(self.epoch) is not None)]


class Pruner(ABC):
    """One way to end trials early. It keeps nothing between two calls, so that a resumed search prunes the same."""

    @abstractmethod
    def losers(self, standing: Standing) -> Set[int]:
        """Return the numbers of the running trials that end after this epoch."""

    def next_look(self, epoch: int, epochs: int, steps: int | None) -> int:
        """Return the first epoch after `epoch` at which it may end a trial.

        Args:
            epoch: which, from 1.
            epochs: of a trial that is not ended.
            steps: see `Standing`.
        """
        return epoch + 1


PRUNERS: Registry[Pruner] = Registry("pruner")
"""Facts of a member: `replicas`, the least number of folds times seeds that it can judge by."""


def best_share(values: Mapping[int, float], count: int) -> Set[int]:
    """Return the numbers of the `count` lowest values, the earliest of equals."""
    return set(sorted(values, key=lambda number: (values[number], number))[:count])
