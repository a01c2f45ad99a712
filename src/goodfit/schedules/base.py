"""The contract of a schedule: a pure multiplier of the learning rate, so that resuming needs no state."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from goodfit.registry import Registry


class Schedule(ABC):
    """The learning rate over a training, as a share of the optimizer's `lr`."""

    @abstractmethod
    def multiplier(self, step: int, total: int) -> float:
        """Return the factor on the base learning rate during one optimizer step.

        Args:
            step: number of optimizer steps taken before this one, 0 to `total` - 1.
            total: optimizer steps of the whole training, at least 1.

        Returns:
            A finite number from 0 to 1.
        """

    def cycle_ends(self, total: int) -> Sequence[int]:
        """Return after how many of `total` steps each cycle ends, in ascending order; empty without any cycles."""
        return ()


SCHEDULES: Registry[Schedule] = Registry("schedule")
