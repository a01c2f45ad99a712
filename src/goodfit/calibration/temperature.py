"""One number that logits are divided by (Guo et al., 2017): it softens or sharpens, and ranks nothing anew."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional

BOUNDS = 0.05, 20.0
"""Beyond these a model is not miscalibrated but has learned nothing."""

RowLosses = Callable[[Tensor, Tensor], Tensor]


def fitted_temperature(logits: Tensor, target: Tensor, row_losses: RowLosses) -> float:
    """Return the temperature with the lowest mean loss of smoothed targets; 1 where no other is better.

    Few valid rows can be separated perfectly, and the temperature of least loss is then the lowest that there is: the
    first mistake on another row costs more than all that was gained. So a row counts as its class with the probability
    that so many rows of it allow to claim (`smoothed`).

    Args:
        logits: [n, outputs] of valid rows.
        target: class indices [n].
        row_losses: the task's loss of each row, in nats; it takes probabilities [n, classes] too.
    """
    scores = logits.double()
    wanted = smoothed(target, max(scores.shape[1], 2))

    def loss(log_temperature: float) -> float:
        return float(row_losses(scores / float(np.exp(log_temperature)), wanted).mean())

    with torch.inference_mode():
        found = minimize_scalar(loss, bounds=tuple(np.log(BOUNDS)), method="bounded", options={"xatol": 1e-4})
        return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0


def smoothed(target: Tensor, classes: int) -> Tensor:
    """Return the probability of each class for rows of known classes, float64[n, classes].

    Of n rows of a class, the next one is of it with probability (n + 1) / (n + classes), as far as they can tell
    (Laplace's rule). Source: Platt, Probabilistic Outputs for Support Vector Machines, in Advances in Large Margin
    Classifiers, 1999, section 2.2.

    Args:
        target: class indices [n].
        classes: how many there are.
    """
    certain = functional.one_hot(target.long(), classes).double()
    count = certain.sum(dim=0)[target.long()][:, None]
    return (count * certain + 1) / (count + classes)
