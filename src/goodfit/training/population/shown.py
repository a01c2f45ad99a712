"""What the members of a population have come to after an epoch: what is judged, and kept where it is the best."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goodfit.training.batches import Batch
from goodfit.training.member import State
from goodfit.training.population.network import Network
from goodfit.training.population.recalibrating import recalibrated
from goodfit.training.population.stack import Stack
from goodfit.training.population.trails import Trails


@dataclass(frozen=True)
class Shown:
    """Weights [k, p] and the model's buffers [k, ...] by name."""

    weights: Tensor
    buffers: State


def shown(stack: Stack, trails: Trails, step: int, network: Network, train: Batch) -> Shown:
    """Return the trails of members who show them, with running statistics of their own, and the weights of others.

    Args:
        stack, trails: of the members, after a step.
        step: optimizer steps done.
        network: computes with the buffers of the stack.
        train: all train rows, prepared.
    """
    found = trails.shown(step)
    if not found:
        return Shown(stack.weights, network.buffers)
    weights = torch.stack([found.get(row, own) for row, own in enumerate(stack.weights)])
    measured = recalibrated(network, stack.views(weights), train)
    trailed = torch.zeros(len(weights), dtype=torch.bool, device=weights.device)
    trailed[list(found)] = True
    buffers = {name: _chosen(trailed, measured[name], own) for name, own in network.buffers.items()}
    return Shown(weights, buffers)


def _chosen(rows: Tensor, these: Tensor, others: Tensor) -> Tensor:
    return torch.where(rows.reshape(-1, *(1,) * (these.ndim - 1)), these, others)
