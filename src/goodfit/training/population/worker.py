"""A forked process that trains stacks, and the channel to it. Linux only."""

import ctypes
import gc
import io
import os
import pickle  # noqa: TID251  (between a process and its own forks)
import signal
import warnings
from collections.abc import Callable, Sequence
from copyreg import dispatch_table
from multiprocessing.connection import Connection
from typing import Any

import torch

from goodfit.stage import stand_in
from goodfit.training.machine import held_still
from goodfit.training.population.group import Group
from goodfit.training.population.threads import trained

DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


class Channel:
    """One end of the pipe between this process and a worker: commands go one way, each has one answer."""

    def __init__(self, pipe: "Connection[Any, Any]", pid: int = 0) -> None:
        self.pipe = pipe
        self.pid = pid
        self._code: int | None = None

    def send(self, message: Any) -> None:
        """Send anything that can be pickled; tensors by their bytes."""
        stream = io.BytesIO()
        _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(message)
        self.pipe.send_bytes(stream.getbuffer())

    def receive(self) -> Any:
        """Wait for a message of the other end, which is this program too."""
        return pickle.loads(self.pipe.recv_bytes())

    def end(self) -> int:
        """Wait until the worker has gone; return its exit code, or minus the signal that ended it."""
        if self._code is None:
            self.pipe.close()
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code


class _Pickler(pickle.Pickler):
    """Tensors as NumPy arrays: torch's own way goes by files, or by memory that both processes share."""

    dispatch_table = {**dispatch_table, torch.Tensor: lambda tensor: (torch.from_numpy, (tensor.detach().numpy(),))}


def forked(here: "Connection[Any, Any]", there: "Connection[Any, Any]", groups: Sequence[Group]) -> Channel:
    """Fork a worker that has these stacks; return this process's end.

    The worker computes with one thread, opens and imports nothing, and ends with this process, so that what other
    threads held at the moment of the fork does not matter to it. Warnings about that (from Python 3.12 on) are not for
    the user.
    """
    parent = os.getpid()
    signals = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            _live(there, groups, parent)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
    there.close()
    return Channel(here, pid)


def _live(pipe: "Connection[Any, Any]", groups: Sequence[Group], parent: int) -> None:
    """Be a worker, and never come back."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; this process hears of it by its pipe
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
        stand_in(parent)
        if os.getppid() == parent:
            _close_all_but(pipe.fileno())
            gc.freeze()  # a collection would write to, and so copy, all that is shared with the parent
            serve(Channel(pipe), groups)
        code = 0
    finally:
        os._exit(code)


def _close_all_but(kept: int) -> None:
    """Close what is not ours: the lease on the workspace, say, which must not outlive the parent."""
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))


def serve(channel: Channel, groups: Sequence[Group]) -> None:
    """Answer commands until the other end is closed; an error is an answer too."""
    hands = Hands(groups)
    with held_still(groups[0].device, groups[0].threads):
        while True:
            try:
                name, *arguments = channel.receive()
            except EOFError:
                return
            try:
                command: Callable[..., Any] = getattr(hands, name)
                answer = command(*arguments)
            except Exception as error:  # the parent decides what it means
                answer = error
            channel.send(answer)


class Hands:
    """What a worker does with its stacks, each named by its place among all."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = groups

    def train(self, tasks: Sequence[tuple[int, int]]) -> list[list[dict[str, Any]]]:
        """Train stacks, each for so many epochs more; return how each of their members has come on."""
        behind = [self.groups[place].epochs for place, _ in tasks]
        for place, epochs in tasks:
            trained(self.groups[place], epochs)
        pairs = zip(tasks, behind, strict=True)
        return [[standing.news(before) for standing in self.groups[place].standings] for (place, _), before in pairs]

    def part(self, place: int, rows: Sequence[int]) -> Any:
        """Let members of a stack go; return their kept networks."""
        return self.groups[place].part(rows)

    def state_dict(self, place: int) -> dict[str, Any]:
        """Return what another worker needs to go on."""
        return self.groups[place].state_dict()

    def load_state_dict(self, place: int, state: dict[str, Any]) -> None:
        """Go on where another worker was."""
        self.groups[place].load_state_dict(state)
