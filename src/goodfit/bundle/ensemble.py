"""Several networks as one model."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from goodfit.models import Model
from goodfit.tasks import Task


class Ensemble(Model):
    """Networks of one form that predict together, by the mean of their predictions.

    Args:
        members: at least one.
        task: says which scores stand for the mean of predictions.
    """

    def __init__(self, members: Sequence[Model], task: Task) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self._task = task

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map [n, numeric] and [n, categorical] to [n, outputs] scores whose prediction is the members' mean."""
        return self._task.pooled(torch.stack([member(numeric, categorical) for member in self.members]))


def networks_in(model: Model) -> int:
    """Return how many networks predict together."""
    return len(model.members) if isinstance(model, Ensemble) else 1
