"""Random weights of residual branches that differ between the forward and the backward pass."""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from goodfit.regularizers.noise import uniform

Update: TypeAlias = Literal["even-even", "even-shake", "shake-even", "shake-keep", "shake-shake"]
"""How the forward pass weighs, then how the backward pass does: evenly, at random, or (keep) as the forward pass."""


def weights(like: Tensor, update: Update) -> tuple[Tensor, Tensor]:
    """Return forward and backward weights in the shape of `like`: numbers from 0 to 1, or 1/2 where they are even."""
    forward, backward = update.split("-")
    half = torch.full_like(like, 0.5)
    first = uniform(like) if forward == "shake" else half
    second = first if backward == "keep" else uniform(like) if backward == "shake" else half
    return first, second


def weighed(values: Tensor, forward: Tensor, backward: Tensor) -> Tensor:
    """Return `values` times `forward`, whose gradient is that of `values` times `backward`."""
    return values * backward + (values * (forward - backward)).detach()


def of_each_row(values: Tensor) -> Tensor:
    """Return [..., n, 1] from [..., n, width], to ask for one random number per row."""
    return values[..., :1].detach()
