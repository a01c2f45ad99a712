"""Members that were paused and train on already, while those who will train beside them are made ready."""

import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from goodfit.training.population.crew import Crew
from goodfit.training.population.group import Group

Lead: TypeAlias = Callable[[Mapping[int, int]], int]
"""(number to epochs behind it of each paused member) -> how many epochs they train, while those who join them train
their first one; at least 1. A pure function: who goes on from a checkpoint asks again."""


@dataclass(frozen=True)
class Runners:
    """Stacks that train ahead of the population that will take them up.

    Args:
        groups: the stacks, of the population that paused.
        crew: trains them.
        state: what the checkpoint of that population holds, from where they began.
        lead: how many epochs they train.
        closing: ends the crew.
    """

    groups: Sequence[Group]
    crew: Crew
    state: Mapping[str, Any]
    lead: int
    closing: ExitStack

    def arrived(self) -> list[dict[str, Any]]:
        """Wait until they have trained, end the crew, and return what a checkpoint holds of each stack."""
        with self.closing:
            self.crew.finish()
            return [self.crew.state_dict(group) for group in self.groups]


class Relay:
    """Hands stacks over from one population to the next, by the folder of the one that paused them."""

    def __init__(self) -> None:
        self._under_way: dict[Path, Runners] = {}
        weakref.finalize(self, _end, self._under_way)

    def hold(self, folder: Path, runners: Runners) -> None:
        """Keep stacks that have begun to train until `take`."""
        self._under_way[folder] = runners

    def take(self, folder: Path) -> Runners | None:
        """Return the stacks that a population in this process paused, if there are any."""
        return self._under_way.pop(folder, None)


def _end(under_way: dict[Path, Runners]) -> None:
    for runners in under_way.values():
        runners.closing.close()
