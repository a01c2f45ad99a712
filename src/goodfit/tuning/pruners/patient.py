"""Patience with each trial by itself."""

from collections.abc import Set
from typing import Annotated

from pydantic import Field

from goodfit.tuning.pruners.base import PRUNERS, Pruner, Standing


@PRUNERS.register("patient", replicas=1)
class PatientPruner(Pruner):
    """Patience: a trial ends when it has not improved for some epochs and is not the best; others do not matter.

    Options:
        patience: epochs without improvement that a trial is given.
        delta: what counts as an improvement.
    """

    def __init__(
        self, *, patience: Annotated[int, Field(ge=1)] = 5, delta: Annotated[float, Field(ge=0)] = 0.0
    ) -> None:
        self.patience, self.delta = patience, delta

    def losers(self, standing: Standing) -> Set[int]:
        """Return those whose patience is at an end."""
        every = [*standing.running.values(), *(one for one in standing.finished if one.curve)]
        best = min(min(one.curve) for one in every)
        stuck = {number for number, one in standing.running.items() if self._stuck(one.curve)}
        return {number for number in stuck if min(standing.running[number].curve) > best}

    def _stuck(self, curve: tuple[float, ...]) -> bool:
        before, recent = curve[: -self.patience], curve[-self.patience :]
        return bool(before) and min(recent) >= min(before) - self.delta
