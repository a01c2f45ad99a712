"""Where the random numbers of a training step come from.

A regularizer asks here and not torch, so that a member of a population draws what it would draw alone: the training
draws the numbers of a step from each member's own generator, in one call, and hands them in. Outside of a training
they come from torch's global generator.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Literal, Protocol, TypeAlias

import torch
from torch import Tensor

Kind: TypeAlias = Literal["coin", "uniform", "normal"]
COINS = 1 << 15
"""A coin is a whole number from -COINS to COINS - 1, each as likely as the other: 16 bits decide as well as 32."""


class Source(Protocol):
    """Gives the numbers of one step, request by request."""

    def take(self, kind: Kind, like: Tensor) -> Tensor:
        """Return numbers of a kind in the shape of a tensor."""


class _FromTorch:
    def take(self, kind: Kind, like: Tensor) -> Tensor:
        if kind == "coin":
            return torch.randint(-COINS, COINS, like.shape, dtype=torch.int16, device=like.device)
        return torch.rand_like(like) if kind == "uniform" else torch.randn_like(like)


class _Current(local):
    source: Source = _FromTorch()


_current = _Current()


def coins(like: Tensor) -> Tensor:
    """Return int16 in the shape of `like`; compare them with `threshold` for a choice of a given probability."""
    return _current.source.take("coin", like)


def uniform(like: Tensor) -> Tensor:
    """Return float32 from 0 to 1, without 1, in the shape of `like`."""
    return _current.source.take("uniform", like)


def normal(like: Tensor) -> Tensor:
    """Return standard normal float32 in the shape of `like`."""
    return _current.source.take("normal", like)


def threshold(probability: float) -> int:
    """Return the number that a coin is below with this probability, to within 1 / 131,072; for 0 exactly never."""
    return int(thresholds(torch.tensor(probability, dtype=torch.float64)))


def thresholds(probability: Tensor) -> Tensor:
    """Return `threshold` of each probability, as int16."""
    return (torch.round(probability * 2 * COINS) - COINS).clamp(max=COINS - 1).to(torch.int16)


def heads(like: Tensor, last_tails: Tensor) -> Tensor:
    """Return float32 in the shape of `like`: 0 where a coin is at most `last_tails`, else 1.

    By arithmetic: on a CPU torch compares and converts to and from bool several times more slowly.

    Args:
        like: any numbers.
        last_tails: float32, 1 less than the `threshold` of tails.
    """
    return (coins(like).to(torch.float32) - along(last_tails, like)).clamp(0, 1)


@contextmanager
def drawn_from(source: Source) -> Iterator[None]:
    """Take the numbers from a source for a while, in this thread."""
    before = _current.source
    _current.source = source
    try:
        yield
    finally:
        _current.source = before


def along(strength: Tensor, values: Tensor) -> Tensor:
    """Return a strength in a form that multiplies values: [] as it is; [k] as [k, 1, ...] for values [k, ...]."""
    return strength.reshape(*strength.shape, *(1,) * (values.ndim - strength.ndim)) if strength.ndim else strength
