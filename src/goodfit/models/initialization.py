"""Where weights start."""

from functools import cache

import torch
from torch import Tensor, nn

from goodfit.models.activations import ActivationName, activation


def initialize_first(linear: nn.Linear, length: float, silent: Tensor) -> None:
    """Draw normal weights that give sums of variance 1 from rows of the given squared length, and zero biases.

    Inputs in `silent` start without any effect.
    """
    with torch.no_grad():
        nn.init.normal_(linear.weight, std=max(length, 1.0) ** -0.5)
        _zero_bias(linear)
        linear.weight[:, silent] = 0.0


def initialize_hidden(linear: nn.Linear, before: ActivationName | None = None) -> None:
    """Draw normal weights that give sums of variance 1 where the activation before had such, and zero biases.

    Without an activation before it, what goes in has the variance 1 itself.
    """
    scale = 1.0 if before is None else gain(before)
    with torch.no_grad():
        nn.init.normal_(linear.weight, std=scale * linear.in_features**-0.5)
        _zero_bias(linear)


def initialize_branch(linear: nn.Linear, before: ActivationName | None, branches: int) -> None:
    """Draw the last weights of one of so many branches, so that all that they add together has the variance 1."""
    initialize_hidden(linear, before)
    with torch.no_grad():
        linear.weight.mul_(branches**-0.5)


def initialize_output(linear: nn.Linear, silent: Tensor | None = None) -> None:
    """Draw small weights, so that the first prediction is near the base rate of zero logits."""
    with torch.no_grad():
        nn.init.normal_(linear.weight, std=0.1 / max(linear.in_features, 1) ** 0.5)
        nn.init.zeros_(linear.bias)
        if silent is not None:
            linear.weight[:, silent] = 0.0


def _zero_bias(linear: nn.Linear) -> None:
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)


@cache
def gain(name: ActivationName) -> float:
    """Return 1 / sqrt(E[f(z)^2]) for z standard normal: what weights after f need to give a variance of 1 again.

    For ReLU it is sqrt(2), for SELU 1. Integrated on a fine grid, to 1e-6.
    """
    grid = torch.linspace(-10, 10, 200_001, dtype=torch.float64)
    density = torch.exp(-grid.square() / 2) / (2 * torch.pi) ** 0.5
    moment = torch.trapezoid(activation(name)(grid).square() * density, grid)
    return float(moment.rsqrt())
