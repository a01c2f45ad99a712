"""Which models of a library predict together: chosen greedily on the valid rows, or all of them alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from goodfit.tasks import Task


@dataclass(frozen=True)
class Selection:
    """Which models predict together.

    Args:
        votes: of each model of the library, 0 for those left out.
        losses: of the ensemble after each vote, on the valid rows; the first is that of the best model.
        best: the model of the lowest loss alone.
    """

    votes: tuple[int, ...]
    losses: tuple[float, ...]
    best: int

    @property
    def members(self) -> list[int]:
        """Return the models that have a vote, the best one first."""
        return [self.best, *(model for model, votes in enumerate(self.votes) if votes and model != self.best)]


def select(logits: Sequence[Tensor], target: Tensor, task: Task, votes: int) -> Selection:
    """Choose an ensemble greedily, with replacement, by its loss.

    "Ensemble Selection from Libraries of Models" (Caruana et al., ICML 2004): begin with the best model, add again and
    again the one with which the loss of the mean prediction is lowest, the same one perhaps twice. A model twice is a
    model with more weight, so a vote that gains nothing may let the next one gain. Of the ensembles on the way the one
    with the lowest loss is taken, the smallest of equals.

    Args:
        logits: of each model [n, outputs], on rows that it was not trained on.
        target: of those rows [n], as the task's loss takes it.
        task: says what a mean prediction is, and its loss.
        votes: at most.
    """
    library, wanted = _doubled(logits, target)
    chosen: list[int] = []
    losses: list[float] = []
    for _ in range(votes):
        trials = [_loss([library[model] for model in [*chosen, added]], wanted, task) for added in range(len(library))]
        best = min(range(len(trials)), key=trials.__getitem__)
        chosen.append(best)
        losses.append(trials[best])
    size = losses.index(min(losses)) + 1
    votes_of = tuple(chosen[:size].count(model) for model in range(len(library)))
    return Selection(votes_of, tuple(losses[:size]), chosen[0])


def alike(logits: Sequence[Tensor], target: Tensor, task: Task) -> Selection:
    """Give every model one vote: nothing is chosen on the rows, so they are not fitted to either.

    Args:
        logits, target, task: see `select`; the rows only say which model is best and what each vote comes to.
    """
    library, wanted = _doubled(logits, target)
    alone = [_loss([scores], wanted, task) for scores in library]
    best = min(range(len(library)), key=alone.__getitem__)
    order = [library[best], *(scores for model, scores in enumerate(library) if model != best)]
    losses = tuple(_loss(order[:count], wanted, task) for count in range(1, len(order) + 1))
    return Selection((1,) * len(library), losses, best)


def _doubled(logits: Sequence[Tensor], target: Tensor) -> tuple[list[Tensor], Tensor]:
    return [scores.double() for scores in logits], target.double() if target.is_floating_point() else target


def _loss(scores: Sequence[Tensor], target: Tensor, task: Task) -> float:
    return float(task.loss(task.pooled(torch.stack(list(scores))), target).mean())
