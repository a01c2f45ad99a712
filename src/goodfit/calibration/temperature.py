"""One number that logits are divided by (Guo et al., 2017): it softens or sharpens, and ranks nothing anew."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

BOUNDS = 0.05, 20.0
"""Beyond these a model is not miscalibrated but has learned nothing, or its valid rows are separated perfectly."""

RowLosses = Callable[[Tensor, Tensor], Tensor]


def fitted_temperature(logits: Tensor, target: Tensor, row_losses: RowLosses) -> float:
    """Return the temperature with the lowest mean loss; 1 where no other is better.

    Args:
        logits: [n, outputs] of valid rows.
        target: class indices [n].
        row_losses: the task's loss of each row, in nats.
    """
    scores = logits.double()

    def loss(log_temperature: float) -> float:
        return float(row_losses(scores / float(np.exp(log_temperature)), target).mean())

    with torch.inference_mode():
        found = minimize_scalar(loss, bounds=tuple(np.log(BOUNDS)), method="bounded", options={"xatol": 1e-4})
        return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0
