"""Equal stairs down."""

from typing import Annotated

from pydantic import Field

from goodfit.schedules.base import SCHEDULES, Schedule


@SCHEDULES.register("step")
class Step(Schedule):
    """The training in `drops` + 1 equal parts; at each border the learning rate is multiplied by `factor`.

    Options:
        drops: how many times the learning rate falls.
        factor: what each drop multiplies it by.
    """

    def __init__(
        self,
        *,
        drops: Annotated[int, Field(ge=1, le=1000)] = 2,
        factor: Annotated[float, Field(gt=0, le=1)] = 0.1,
    ) -> None:
        self.drops = drops
        self.factor = factor

    def multiplier(self, step: int, total: int) -> float:
        """Return `factor` to the power of the parts that are behind."""
        return float(self.factor ** (step * (self.drops + 1) // total))
