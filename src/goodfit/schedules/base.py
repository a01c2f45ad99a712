"""The contract of a schedule: a pure multiplier of the learning rate, so that resuming needs no state."""

from abc import ABC, abstractmethod

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


SCHEDULES: Registry[Schedule] = Registry("schedule")
