"""No schedule."""

from goodfit.schedules.base import SCHEDULES, Schedule


@SCHEDULES.register("constant")
class Constant(Schedule):
    """The base learning rate throughout."""

    def multiplier(self, step: int, total: int) -> float:
        """Return 1."""
        return 1.0
