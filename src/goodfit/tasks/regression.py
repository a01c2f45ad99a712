"""A number."""

import torch
from torch import Tensor

from goodfit.tasks.base import TASKS, Task


@TASKS.register("regression")
class Regression(Task):
    """Squared error on the standardised target, hence a prediction of the conditional mean."""

    target_dtype = torch.float32

    def outputs(self, classes: int) -> int:
        """Return 1."""
        return 1

    def row_losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return [n] squared errors, in squared standard deviations of the target."""
        return (logits[:, 0] - target).square()

    def slopes(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return [n, 1], twice the error."""
        return 2 * (logits - target[:, None])

    def predict(self, logits: Tensor) -> Tensor:
        """Return [n] standardised values; the preprocessor turns them back into the target's units."""
        return logits[:, 0]

    def pooled(self, logits: Tensor) -> Tensor:
        """Return the mean values."""
        return logits.mean(dim=0)
