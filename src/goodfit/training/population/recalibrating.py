"""Running statistics for weights that no batch has seen: averages of weights, slow weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from goodfit.training.batches import Batch
from goodfit.training.member import State
from goodfit.training.population.network import Network

ROWS = 2048
"""Train rows, at most, that statistics are taken from, in one batch; evenly spread over all of them."""


def recalibrated(network: Network, parameters: State, train: Batch) -> State:
    """Return buffers [k, ...] whose running statistics are those of these weights on train rows.

    The layers of a batch normalization see one large batch, as "Averaging Weights Leads to Wider Optima and Better
    Generalization" (Izmailov et al., UAI 2018, arXiv:1803.05407, section 3.2) asks for; all else is as in prediction.
    """
    layers = [module for module in network.modules() if hasattr(module, "running_mean")]
    if not layers:
        return network.buffers
    members = len(next(iter(parameters.values())))
    rows = torch.arange(0, len(train), -(-len(train) // ROWS), device=train.target.device)
    with network.aside(parameters), network.judged(), torch.no_grad():
        with _measuring(layers):
            network(train.take_each(rows.expand(members, -1)), {})
        return network.buffers


@contextmanager
def _measuring(layers: Sequence[Any]) -> Iterator[None]:
    """Let layers with running statistics take those of the next batch as they are, not mixed with the ones before."""
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.train()
        layer.momentum = 1.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
