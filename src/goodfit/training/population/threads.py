"""Stacks trained by threads of this process; each computes with the threads its recipe names."""

import time
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, ClassVar

import torch

from goodfit.errors import Fault, GoodfitError, MachineError
from goodfit.training.machine import held_still
from goodfit.training.member import State
from goodfit.training.population.group import Group
from goodfit.training.seeds import derived


class Threads:
    """See `Crew`; the epoch is trained in `finish`.

    Args:
        workers: how many threads.
    """

    background: ClassVar[bool] = False

    def __init__(self, workers: int) -> None:
        self.pool = ThreadPoolExecutor(max(workers, 1), thread_name_prefix="population")
        self.begun: Mapping[Group, int] = {}

    def __enter__(self) -> "Threads":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.pool.shutdown(wait=True, cancel_futures=True)

    def begin(self, groups: Mapping[Group, int]) -> None:
        """Note what is to be trained."""
        self.begun = groups

    def finish(self) -> None:
        """Train it."""
        groups = self.begun
        if not groups:
            return
        first = next(iter(groups))
        with held_still(first.device, first.threads):
            alone = [group for group in groups if group.draws]  # one by one: all threads share torch's generator
            waiting = [self.pool.submit(trained, group, groups[group]) for group in groups if group not in alone]
            for group in alone:
                trained(group, groups[group])
            for future in waiting:
                future.result()

    def adopt(self, group: Group, state: Mapping[str, Any]) -> None:
        """Take a state over."""
        group.load_state_dict(state)

    def part(self, leaving: Sequence[tuple[Group, Sequence[int]]]) -> list[list[list[State]]]:
        """Let members go."""
        return [group.part(rows) for group, rows in leaving]

    def dismiss(self) -> None:
        """Do nothing: threads that wait cost nothing."""

    def state_dict(self, group: Group) -> dict[str, Any]:
        """Return what a checkpoint holds of a stack."""
        return group.state_dict()


def trained(group: Group, epochs: int) -> None:
    """Train a stack for so many epochs more, or until one of its members has ended."""
    for _ in range(epochs):
        _epoch(group)
        if any(standing.state or standing.ends() for standing in group.standings):
            return


def _epoch(group: Group) -> None:
    """Train a stack for one more epoch; an error that only these members can have caused is theirs.

    Who draws from torch's own generator must have it to itself.
    """
    torch.set_num_threads(group.threads)
    if group.draws:
        torch.manual_seed(derived(group.standings[0].candidate.seed, "epoch", group.epochs + 1))
    try:
        group.epoch(clock=time.thread_time)
    except (OSError, MemoryError, GoodfitError):
        raise
    except Exception as error:
        if len(group.standings) > 1 and _lacks_memory(error):
            raise _too_many(group) from error
        for standing in group.standings:
            standing.error, standing.state = traceback.format_exc(), "FAIL"


def _lacks_memory(error: Exception) -> bool:
    """Tell whether torch found no memory; on a CPU it has no exception of its own for that."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


def _too_many(group: Group) -> MachineError:
    rule = f"has too little memory to train {len(group.standings)} networks at once"
    return MachineError([Fault(f"device {group.device}", rule, None, "Train fewer at once: lower tune.batch.")])
