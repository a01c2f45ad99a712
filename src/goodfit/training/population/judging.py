"""What the networks of a population are worth on rows, without any regularizer."""

import torch
from torch import Tensor

from goodfit.tasks import Task
from goodfit.training.batches import Batch
from goodfit.training.member import EVALUATION_ROWS
from goodfit.training.population.network import Network
from goodfit.training.population.shown import Shown

FEWEST_ROWS = 128
"""Rows per member in a forward pass outside of training, at least; fewer as there are more members."""


def plain_losses(network: Network, task: Task, shown: Shown, data: Batch) -> Tensor:
    """Return the mean of the task's loss of each member, float64[k]; rows [k, n, ...], or [n, ...] for all."""
    members = len(shown.counts)
    total = torch.zeros(members, dtype=torch.float64, device=data.target.device)
    with network.judged(), torch.inference_mode():
        for part in _parts(data, max(EVALUATION_ROWS // members, FEWEST_ROWS)):
            logits, target = _predicted(network, task, shown, part), part.target.expand(members, -1)
            losses = task.loss(logits.flatten(0, 1), target.flatten())
            total += losses.view(target.shape).sum(dim=1, dtype=torch.float64)
    return total / data.target.shape[-1]


def _predicted(network: Network, task: Task, shown: Shown, part: Batch) -> Tensor:
    """Return scores [k, n, outputs], of several networks as one where a member predicts by several."""
    every = []
    for networks in shown.networks:
        with network.aside(networks.parameters, networks.buffers):
            every.append(network(part, {}))
    if len(every) == 1:
        return every[0]
    rows = [torch.stack([scores[row] for scores in every[:count]]) for row, count in enumerate(shown.counts)]
    return torch.stack([task.pooled(scores) if len(scores) > 1 else scores[0] for scores in rows])


def _parts(data: Batch, size: int) -> list[Batch]:
    axis = data.target.ndim - 1
    columns = (torch.split(part, size, dim=axis) for part in (data.numeric, data.categorical, data.target))
    return [Batch(*part) for part in zip(*columns, strict=True)]
