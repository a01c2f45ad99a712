"""Who trains the stacks of a population: worker processes where they can be forked, else threads of this process."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

from goodfit.training.member import State
from goodfit.training.population.group import Group
from goodfit.training.population.processes import Processes
from goodfit.training.population.threads import Threads


class Crew(AbstractContextManager["Crew"], Protocol):
    """Trains stacks, as many at once as it has workers. The bits of a result do not depend on how many there are.

    The histories of a stack's standings are up to date after `finish`; its numbers may be elsewhere, so ask the crew.
    """

    background: ClassVar[bool]
    """Whether it trains while this process does something else."""

    def begin(self, groups: Mapping[Group, int]) -> None:
        """Let every stack be trained for so many epochs from now on, or at the latest in `finish`.

        A stack rests as soon as one of its members has ended.
        """

    def finish(self) -> None:
        """Wait until they are."""

    def adopt(self, group: Group, state: Mapping[str, Any]) -> None:
        """Let a stack go on from a state that another crew has trained it to."""

    def part(self, leaving: Sequence[tuple[Group, Sequence[int]]]) -> list[list[list[State]]]:
        """Let members go, by the rows they have in their stacks, and go on with the others.

        Returns:
            For each stack, and each member of it that leaves: its kept networks, on the CPU.
        """

    def dismiss(self) -> None:
        """Note that there is nothing more to train, and no number to be asked for."""

    def state_dict(self, group: Group) -> dict[str, Any]:
        """Return what a checkpoint holds of a stack."""


def crew_of(groups: Sequence[Group]) -> Crew:
    """Return who trains these stacks on this machine.

    Threads wait for Python's lock: measured with small networks on two cores, a second thread saves a tenth of the time
    and a second process a third. What computes with several threads, or on a GPU, cannot be forked safely.
    """
    threads = max((group.threads for group in groups), default=1)
    on_gpu = any(group.device.type == "cuda" for group in groups)
    workers = 1 if on_gpu else min(max(cores() // threads, 1), len(groups))
    if workers > 1 and threads == 1 and sys.platform == "linux":
        try:
            return Processes(groups, workers)
        except OSError:  # no memory for, or no right to, one more process: the same bits take longer
            pass
    return Threads(workers)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
