"""What the weights of a population are worth on rows, without any regularizer."""

import torch
from torch import Tensor

from goodfit.tasks import Task
from goodfit.training.batches import Batch
from goodfit.training.member import EVALUATION_ROWS
from goodfit.training.population.network import Network

FEWEST_ROWS = 256
"""Rows per member in a forward pass outside of training, at least; fewer as there are more members."""


def plain_losses(network: Network, task: Task, data: Batch) -> Tensor:
    """Return the mean of the task's loss of each member, float64[k]; rows [k, n, ...], or [n, ...] for all."""
    members = len(next(iter(network.parameters.values())))
    total = torch.zeros(members, dtype=torch.float64, device=data.target.device)
    with network.judged(), torch.inference_mode():
        for part in _parts(data, max(EVALUATION_ROWS // members, FEWEST_ROWS)):
            logits, target = network(part, {}), part.target.expand(members, -1)
            losses = task.loss(logits.flatten(0, 1), target.flatten())
            total += losses.view(target.shape).sum(dim=1, dtype=torch.float64)
    return total / data.target.shape[-1]


def _parts(data: Batch, size: int) -> list[Batch]:
    axis = data.target.ndim - 1
    columns = (torch.split(part, size, dim=axis) for part in (data.numeric, data.categorical, data.target))
    return [Batch(*part) for part in zip(*columns, strict=True)]
