"""Stacks trained by forked processes: each has inherited all stacks and trains those that are given to it."""

import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from multiprocessing import Pipe
from types import TracebackType
from typing import Any, ClassVar

from goodfit.errors import Fault, MachineError
from goodfit.training.member import State
from goodfit.training.population.balance import balanced
from goodfit.training.population.group import Group
from goodfit.training.population.worker import Channel, forked

PER_STACK = 35_000
"""So many weights take as long as a step takes whatever its size. Measured with one to three layers of 64 to 256, by
hand, in batches of 256."""


class Processes:
    """See `Crew`. A stack's numbers are with the worker that trained it last, and move when that evens out the work.

    Args:
        groups: all stacks, as they are at the beginning; workers share their rows with this process.
        workers: how many processes.

    Raises:
        OSError: this machine gives no more processes.
    """

    background: ClassVar[bool] = True

    def __init__(self, groups: Sequence[Group], workers: int) -> None:
        self.places = {id(group): place for place, group in enumerate(groups)}
        self.owners: dict[int, int] = {}
        self.begun: list[tuple[int, Sequence[Group]]] = []
        self.workers: list[Channel] = []
        try:
            for _ in range(workers):
                here, there = Pipe()
                self.workers.append(forked(here, there, groups))
        except OSError:
            self._end()
            raise

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._end()

    def begin(self, groups: Mapping[Group, int]) -> None:
        """Divide the stacks among the workers, and let them train."""
        every = list(groups)
        owners = [self.owners.get(id(group)) for group in every]
        shares = balanced(costs(groups), owners, len(self.workers))
        self.begun = [(owner, [every[piece] for piece in share]) for owner, share in enumerate(shares) if share]
        for owner, share in self.begun:
            for group in share:
                self._move(group, owner)
        for owner, share in self.begun:
            self._send(owner, "train", [(self.places[id(group)], groups[group]) for group in share])

    def finish(self) -> None:
        """Take from every worker how its stacks have come on."""
        for owner, share in self.begun:
            for group, news in zip(share, self._answer(owner), strict=True):
                for standing, came in zip(group.standings, news, strict=True):
                    standing.follow(came)
        self.begun = []

    def adopt(self, group: Group, state: Mapping[str, Any]) -> None:
        """Give a state to the worker that has the fewest stacks."""
        group.load_state_dict(state)
        having = list(self.owners.values())
        self.owners[id(group)] = min(range(len(self.workers)), key=having.count)
        self._ask(group, "load_state_dict", state)

    def part(self, leaving: Sequence[tuple[Group, Sequence[int]]]) -> list[list[list[State]]]:
        """Let members go; all workers are asked before any answers."""
        for group, rows in leaving:
            self._send(self.owners[id(group)], "part", self.places[id(group)], rows)
        for group, rows in leaving:
            group.part(rows)
        return [self._answer(self.owners[id(group)]) for group, _ in leaving]

    def dismiss(self) -> None:
        """End the workers, without waiting until they have gone."""
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)

    def state_dict(self, group: Group) -> dict[str, Any]:
        """Return what a checkpoint holds of a stack."""
        found: dict[str, Any] = self._ask(group, "state_dict")
        return found

    def _move(self, group: Group, owner: int) -> None:
        before = self.owners.setdefault(id(group), owner)
        if before != owner:
            state = self.state_dict(group)
            self.owners[id(group)] = owner
            self._ask(group, "load_state_dict", state)

    def _ask(self, group: Group, what: str, *arguments: Any) -> Any:
        owner = self.owners[id(group)]
        self._send(owner, what, self.places[id(group)], *arguments)
        return self._answer(owner)

    def _send(self, owner: int, *command: Any) -> None:
        try:
            self.workers[owner].send(command)
        except OSError:
            raise self._death(owner) from None

    def _answer(self, owner: int) -> Any:
        try:
            answer = self.workers[owner].receive()
        except (EOFError, OSError):
            raise self._death(owner) from None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _death(self, owner: int) -> MachineError:
        code = self.workers[owner].end()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        rule = f"a process that trained members of the population has died ({how})"
        remedy = "SIGKILL usually means that memory ran out: set a smaller tune.batch. Run again: it goes on from here."
        return MachineError([Fault("this machine", rule, None, remedy)])

    def _end(self) -> None:
        self.dismiss()
        for worker in self.workers:
            worker.end()


def costs(groups: Mapping[Group, int]) -> list[float]:
    """Return what the epochs of each stack take: as its last one did, or as its size says beside the others."""
    sizes = [PER_STACK + group.stack.weights.numel() for group in groups]
    seconds = [_last_seconds(group) for group in groups]
    known = [(took, size) for took, size in zip(seconds, sizes, strict=True) if took]
    pace = sum(took for took, _ in known) / sum(size for _, size in known) if known else 1.0
    paces = zip(groups.values(), seconds, sizes, strict=True)
    return [epochs * (took or pace * size) for epochs, took, size in paces]


def _last_seconds(group: Group) -> float:
    return sum(standing.history.epochs[-1].seconds for standing in group.standings if standing.history.epochs)
