"""Where a training stands after a step."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Moment:
    """How many steps are done, and of how many.

    Args:
        step: optimizer steps done, from 1.
        per_epoch: steps of an epoch.
        epochs: of the whole training.
        cycle_ends: steps after which a cycle of the learning rate has ended; empty where it has no cycles.
    """

    step: int
    per_epoch: int
    epochs: int
    cycle_ends: tuple[int, ...] = ()

    @property
    def ends_cycle(self) -> bool:
        """Return whether this step was the last one of a cycle."""
        return self.step in self.cycle_ends

    @property
    def cycles(self) -> int:
        """Return how many cycles have ended."""
        return sum(end <= self.step for end in self.cycle_ends)

    @property
    def ends_epoch(self) -> bool:
        """Return whether this step was the last one of an epoch."""
        return self.step % self.per_epoch == 0

    def epochs_beyond(self, share: float) -> int:
        """Return how many whole epochs are done behind the first `share` of all epochs."""
        first = int(Fraction(share).limit_denominator(10**6) * self.epochs)
        return max(self.step // self.per_epoch - first, 0)
