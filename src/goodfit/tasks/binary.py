"""Two classes."""

import torch
from torch import Tensor
from torch.nn import functional

from goodfit.tasks.base import TASKS, Task


@TASKS.register("binary")
class Binary(Task):
    """Logistic loss on one logit: the log odds of the second class.

    One output instead of two spares the redundant direction of a softmax; the loss is computed from the logit, never
    from a rounded probability, so that it stays finite for a score of any size.
    """

    target_dtype = torch.float32

    def outputs(self, classes: int) -> int:
        """Return 1."""
        return 1

    def row_losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return [n] losses in nats; a [n, 2] target holds the probabilities of both classes."""
        positive = _positive(target).to(logits.dtype)
        return functional.binary_cross_entropy_with_logits(logits[:, 0], positive, reduction="none")

    def slopes(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return [n, 1], the probability of the second class less what it should be."""
        return torch.sigmoid(logits) - _positive(target)[:, None]

    def predict(self, logits: Tensor) -> Tensor:
        """Return [n, 2] probabilities; each column comes from its own sigmoid, so that neither rounds to 0 early."""
        return torch.sigmoid(torch.cat((-logits, logits), dim=1))

    def pooled(self, logits: Tensor) -> Tensor:
        """Return the log odds of the mean probability, computed from logarithms, so that neither class rounds to 0."""
        return functional.logsigmoid(logits).logsumexp(dim=0) - functional.logsigmoid(-logits).logsumexp(dim=0)


def _positive(target: Tensor) -> Tensor:
    return target[:, 1] if target.ndim == 2 else target
