"""What time it is in a training, for modules whose strength moves with it."""

import torch
from torch import Tensor, nn

STEP, TOTAL = "clock_step", "clock_total"


def register_clock(module: nn.Module) -> None:
    """Give a module two buffers that the training keeps: steps done before this one, and steps in all; [k] in a stack.

    Outside of a training they stand at the beginning.
    """
    module.register_buffer(STEP, torch.tensor(0.0, dtype=torch.float64), persistent=False)
    module.register_buffer(TOTAL, torch.tensor(1.0, dtype=torch.float64), persistent=False)


def steps_done(module: nn.Module) -> Tensor:
    """Return how many steps were taken before this one, without dimensions, or [k] in a stack."""
    return module.get_buffer(STEP)


def share_done(module: nn.Module) -> Tensor:
    """Return which share of the training is over before this step, from 0 to below 1."""
    return module.get_buffer(STEP) / module.get_buffer(TOTAL)
