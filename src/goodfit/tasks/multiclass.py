"""Three classes or more (two are possible)."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from goodfit.tasks.base import TASKS, Task


@TASKS.register("multiclass")
class Multiclass(Task):
    """Cross-entropy of a softmax with one logit per class."""

    target_dtype = torch.int64

    def outputs(self, classes: int) -> int:
        """Return the number of classes."""
        return classes

    def row_losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return [n] losses in nats; a [n, classes] target holds the probability of each class."""
        return functional.cross_entropy(logits, target, reduction="none")

    def slopes(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return [n, classes], the probability of each class less what it should be."""
        found = functional.softmax(logits, dim=1)
        if target.ndim == 2:
            return found.mul_(target.sum(dim=1, keepdim=True)).sub_(target)
        return found.scatter_add_(1, target[:, None], found.new_full((len(target), 1), -1.0))

    def predict(self, logits: Tensor) -> Tensor:
        """Return [n, classes] probabilities that add up to 1."""
        return functional.softmax(logits, dim=1)

    def pooled(self, logits: Tensor) -> Tensor:
        """Return the logarithms of the mean probabilities."""
        return functional.log_softmax(logits, dim=-1).logsumexp(dim=0) - math.log(len(logits))
