"""Running statistics for weights that no batch has seen: averages of weights, slow weights, snapshots."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from goodfit.training.batches import Batch
from goodfit.training.member import State
from goodfit.training.population.network import Network

ROWS = 2048
"""Train rows, at most, that statistics are taken from, in one batch; evenly spread over all of them."""
FEW = 2
"""Rows of the batches before, for what follows the weights alone."""


def recalibrated(network: Network, parameters: State, train: Batch) -> State:
    """Return buffers [k, ...] that belong to these weights, where modules keep any that move with a training.

    A module says by `settles` after how many batches its buffers have forgotten others. The layers of a batch
    normalization see one large batch, as "Averaging Weights Leads to Wider Optima and Better Generalization" (Izmailov
    et al., UAI 2018, arXiv:1803.05407, section 3.2) asks for; all else is as in prediction.
    """
    moving: list[Any] = [module for module in network.modules() if getattr(module, "settles", 0)]
    if not moving:
        return network.buffers
    batches = max(module.settles for module in moving)
    members = len(next(iter(parameters.values())))
    rows = torch.arange(0, len(train), -(-len(train) // ROWS), device=train.target.device).expand(members, -1)
    with network.aside(parameters), network.judged(), torch.no_grad():
        with _measuring(moving):
            for _ in range(batches - 1):
                network(train.take_each(rows[:, :FEW]), {})
            network(train.take_each(rows), {})
        return network.buffers


@contextmanager
def _measuring(modules: Sequence[Any]) -> Iterator[None]:
    """Let buffers move, and running statistics become those of the last batch, not mixed with the ones before."""
    momenta = {module: module.momentum for module in modules if hasattr(module, "momentum")}
    for module in modules:
        module.train(True)
    for module in momenta:
        module.momentum = 1.0
    try:
        yield
    finally:
        for module, momentum in momenta.items():
            module.momentum = momentum
