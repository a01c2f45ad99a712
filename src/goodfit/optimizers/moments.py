"""What the members of Adam's family share."""

from collections.abc import Mapping

import torch
from torch import Tensor

from goodfit.optimizers.base import Decayed, Epsilon, LearningRate, Numbers, Optimizer


class Moments(Optimizer):
    """An optimizer with running means of the gradient and of its square.

    Options:
        lr: base learning rate.
        beta1: share of the running mean of gradients that is kept at each step.
        beta2: share of the running mean of squared gradients that is kept at each step.
        epsilon: added to the running size, against division by zero.
    """

    def __init__(
        self, *, lr: LearningRate = 1e-3, beta1: Decayed = 0.9, beta2: Decayed = 0.999, epsilon: Epsilon = 1e-8
    ) -> None:
        self.lr = lr
        self.betas = (beta1, beta2)
        self.epsilon = epsilon

    def numbers(self) -> Mapping[str, float]:
        """Return both betas and epsilon."""
        return {"beta1": self.betas[0], "beta2": self.betas[1], "epsilon": self.epsilon}

    def start(self, weights: Tensor) -> dict[str, Tensor]:
        """Return both running means, at 0."""
        return {"mean": torch.zeros_like(weights), "square": torch.zeros_like(weights)}


def running_means(gradients: Tensor, state: Mapping[str, Tensor], numbers: Numbers) -> tuple[Tensor, Tensor]:
    """Move the running means of gradients [k, p] and of their squares along, and return them."""
    kept = numbers.column("beta2")
    mean = state["mean"].lerp_(gradients, 1 - numbers.column("beta1"))
    return mean, state["square"].mul_(kept).addcmul_(gradients, gradients * (1 - kept))


def adam_step(weights: Tensor, gradients: Tensor, state: Mapping[str, Tensor], numbers: Numbers, count: int) -> None:
    """Take Adam's step, equation by equation of arXiv:1412.6980, algorithm 1; on a CPU by torch's fused kernel."""
    if fused_here(weights):
        return _fused(weights, gradients, state, numbers, count)
    mean, square = running_means(gradients, state, numbers)
    corrected = (square / (1 - numbers.column("beta2") ** count)).sqrt_().add_(numbers.column("epsilon"))
    weights.addcdiv_(mean * (numbers.column("lr") / (1 - numbers.column("beta1") ** count)), corrected, value=-1)
    return None


def fused_here(weights: Tensor) -> bool:
    """Return whether one fused call per member pays: on a GPU a launch costs more than ten passes over memory."""
    return weights.device.type == "cpu"


def _fused(weights: Tensor, gradients: Tensor, state: Mapping[str, Tensor], numbers: Numbers, count: int) -> None:
    # One pass over memory instead of ten: on a CPU that is worth a call per member.
    counted = [torch.tensor(float(count))]
    tensors = (weights, gradients, state["mean"], state["square"])
    rows = zip(*tensors, strict=True) if weights.shape[0] > 1 else [tensors]
    options = zip(numbers["lr"], numbers["beta1"], numbers["beta2"], numbers["epsilon"], strict=True)
    for (weight, gradient, mean, square), (lr, beta1, beta2, epsilon) in zip(rows, options, strict=True):
        torch._fused_adam_(
            [weight], [gradient], [mean], [square], [], counted,
            lr=lr, beta1=beta1, beta2=beta2, weight_decay=0.0, eps=epsilon, amsgrad=False, maximize=False,
        )  # fmt: skip
