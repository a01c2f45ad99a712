"""How a strength moves over a training."""

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor

Fading: TypeAlias = Literal["constant", "cosine", "flat_cosine"]
"""constant; half a cosine wave down to 0; or constant to half time and then that wave, as RealMLP has it (Holzmüller et
al., NeurIPS 2024, arXiv:2407.04491)."""
BEGINS: dict[Fading, float] = {"cosine": 0.0, "flat_cosine": 0.5}
"""The share of the training after which a strength falls."""


def left(fading: Fading, share: Tensor) -> Tensor:
    """Return the factors on a strength, of any shape, when the given shares of the training are over."""
    if fading == "constant":
        return torch.ones_like(share)
    begin = BEGINS[fading]
    fallen = ((share - begin) / (1 - begin)).clamp(min=0.0, max=1.0)
    return (1 + torch.cos(math.pi * fallen)) / 2
