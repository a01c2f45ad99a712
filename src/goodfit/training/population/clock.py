"""The time of a training, as a tensor for regularizers whose strength moves with it."""

from collections.abc import Sequence

import torch

from goodfit.regularizers.clock import STEP, TOTAL
from goodfit.training.member import State


class Clock:
    """Keeps the buffers that `goodfit.regularizers.clock.register_clock` made; without any it does nothing.

    Args:
        buffers: of the members, [k] each, by name.
        totals: optimizer steps of each member's whole training.
    """

    def __init__(self, buffers: State, totals: Sequence[int]) -> None:
        self._steps = [buffer for name, buffer in buffers.items() if name.endswith(f".{STEP}")]
        for name, buffer in buffers.items():
            if name.endswith(f".{TOTAL}"):
                buffer.copy_(torch.tensor(totals, dtype=buffer.dtype))

    def set(self, step: int) -> None:
        """Note how many steps are done."""
        for buffer in self._steps:
            buffer.fill_(step)
