"""Several networks as one model."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from goodfit.models import Model
from goodfit.registry import Section
from goodfit.tasks import Task


@dataclass(frozen=True)
class Part:
    """What one model of a chosen ensemble is; its weights are in the ensemble.

    Args:
        model_options: of the registered model, kind included.
        regularization: an instance of `RegularizationSection`.
        votes: how often its prediction counts in the mean.
        temperature: that of the model by itself.
        networks: how many networks predict together in it.
    """

    model_options: Section
    regularization: Section
    votes: int = 1
    temperature: float = 1.0
    networks: int = 1


class Ensemble(Model):
    """Networks that predict together, by the mean of their predictions.

    Args:
        members: at least one; each takes the same preprocessed rows.
        task: says which scores stand for the mean of predictions.
        votes: how often each member counts; once each where none are given.
    """

    def __init__(self, members: Sequence[Model], task: Task, votes: Sequence[int] | None = None) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self._task = task
        self._votes = tuple(votes or [1] * len(members))

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map [n, numeric] and [n, categorical] to [n, outputs] scores whose prediction is the members' mean."""
        said = [member(numeric, categorical) for member in self.members]
        counted = [scores for scores, votes in zip(said, self._votes, strict=True) for _ in range(votes)]
        return self._task.pooled(torch.stack(counted))


def networks_in(model: Model) -> int:
    """Return how many networks predict together."""
    return len(model.members) if isinstance(model, Ensemble) else 1
