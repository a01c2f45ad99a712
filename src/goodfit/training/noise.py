"""The random numbers of every step: each member draws its own, in one call per step and kind."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from goodfit.regularizers.noise import Kind, drawn_from
from goodfit.training.seeds import derived

Demand: TypeAlias = Mapping[Kind, int]
"""How many numbers of each kind one member needs for one step."""
Numbers: TypeAlias = dict[Kind, Tensor]
"""What the members get for one step: of each kind [k, how many], or [how many] for one under `torch.func.vmap`."""
DTYPES: dict[Kind, torch.dtype] = {"coin": torch.int16, "uniform": torch.float32, "normal": torch.float32}


@dataclass
class Recorder:
    """Counts what a step asks for, and gives zeros."""

    members: int
    demand: dict[Kind, int] = field(default_factory=dict)

    def take(self, kind: Kind, like: Tensor) -> Tensor:
        """Note a request."""
        self.demand[kind] = self.demand.get(kind, 0) + like.numel() // self.members
        return torch.zeros_like(like, dtype=DTYPES[kind])


class Tape:
    """Hands out, request by request, numbers that were drawn before the step."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.taken: dict[Kind, int] = {}

    def take(self, kind: Kind, like: Tensor) -> Tensor:
        """Return the next numbers in the shape of `like`: [k, ...] where they are [k, how many]."""
        numbers, first = self.numbers[kind], self.taken.get(kind, 0)
        members = math.prod(numbers.shape[:-1])
        last = self.taken[kind] = first + like.numel() // members
        return numbers[..., first:last].view(like.shape)


def tape(numbers: Numbers) -> AbstractContextManager[None]:
    """Let regularizers take these numbers for a while; where there are none, nothing is changed."""
    return drawn_from(Tape(numbers)) if numbers else nullcontext()


Drawn: TypeAlias = Numbers | Recorder
"""Where a phase of a step has its numbers from: drawn ones, or what counts them in a trial."""


@contextmanager
def sourced(drawn: Drawn) -> Iterator[Numbers]:
    """Let regularizers take these numbers for a while; yield them as `torch.func.vmap` needs them, by argument."""
    if isinstance(drawn, Recorder):
        with drawn_from(drawn):
            yield {}
    else:
        with tape(drawn):
            yield drawn


class Generators:
    """The generators of k members in one epoch.

    SFC64 (O'Neill's and Doty-Humphrey's, in NumPy) draws several times faster than torch's Mersenne Twister, and gives
    the same numbers on every device.

    Args:
        seeds: of the members.
        epoch: from 1; each epoch has generators of its own, so that a resumed one draws what an undisturbed one draws.
        device: where the numbers are needed.
    """

    def __init__(self, seeds: Sequence[int], epoch: int, device: torch.device) -> None:
        self.members = [np.random.Generator(np.random.SFC64(derived(seed, "noise", epoch))) for seed in seeds]
        self.device = device

    def draw(self, demand: Demand) -> Numbers:
        """Return the numbers of the next step."""
        return {kind: self._drawn(kind, count) for kind, count in demand.items()}

    def _drawn(self, kind: Kind, count: int) -> Tensor:
        drawn = [torch.from_numpy(_numbers(member, kind, count)) for member in self.members]
        return (torch.stack(drawn) if len(drawn) > 1 else drawn[0][None]).to(self.device)


def _numbers(generator: np.random.Generator, kind: Kind, count: int) -> np.ndarray:
    if kind == "coin":  # four from each word that is drawn
        words: np.ndarray = generator.bit_generator.random_raw(-(-count // 4))
        return words.view(np.int16)[:count]
    draw = generator.random if kind == "uniform" else generator.standard_normal
    return draw(count, dtype=np.float32)
