"""What the members of a population have come to after an epoch: what is judged, and kept where it is the best."""

from collections.abc import Mapping, Sequence
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
class Networks:
    """A network of each member: its parameters and buffers by name, [k, ...] each."""

    parameters: State
    buffers: State

    def of(self, row: int) -> State:
        """Return copies of the numbers of one member."""
        return {name: tensor[row].detach().clone() for name, tensor in (self.parameters | self.buffers).items()}


@dataclass(frozen=True)
class Shown:
    """What the members predict by.

    Args:
        networks: at least one of each member.
        counts: with how many of them, from the first one on, each member predicts.
    """

    networks: Sequence[Networks]
    counts: Sequence[int]

    def of(self, row: int) -> list[State]:
        """Return copies of all networks of one member."""
        return [networks.of(row) for networks in self.networks[: self.counts[row]]]


def shown(stack: Stack, trails: Trails, step: int, network: Network, train: Batch) -> Shown:
    """Return the trails of members who show them, with running statistics of their own, and the weights of others.

    Args:
        stack, trails: of the members, after a step.
        step: optimizer steps done.
        network: computes with the buffers of the stack.
        train: all train rows, prepared.
    """
    companions = trails.companions(step)
    present = _measured(trails.shown(step), stack, network, train)
    others = [
        _measured({row: found[place] for row, found in companions.items() if place < len(found)}, stack, network, train)
        for place in range(max(map(len, companions.values()), default=0))
    ]
    return Shown([present, *others], [1 + len(companions.get(row, ())) for row in range(len(stack))])


def _measured(found: Mapping[int, Tensor], stack: Stack, network: Network, train: Batch) -> Networks:
    """Return the networks of weights [p] that are given by row; other members have those of the stack."""
    if not found:
        return Networks(stack.parameters, network.buffers)
    weights = torch.stack([found.get(row, own) for row, own in enumerate(stack.weights)])
    parameters = stack.views(weights)
    measured = recalibrated(network, parameters, train)
    given = torch.zeros(len(weights), dtype=torch.bool, device=weights.device)
    given[list(found)] = True
    return Networks(parameters, {name: _chosen(given, measured[name], own) for name, own in network.buffers.items()})


def _chosen(rows: Tensor, these: Tensor, others: Tensor) -> Tensor:
    return torch.where(rows.reshape(-1, *(1,) * (these.ndim - 1)), these, others)
