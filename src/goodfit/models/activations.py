"""Activation functions by name, and the gain that keeps the variance of a signal through a layer that has it."""

from collections.abc import Callable
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor, nn

ActivationName = Literal[
    "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "tanh", "sigmoid", "softplus", "hardswish"
]
ACTIVATION_NAMES: tuple[str, ...] = get_args(ActivationName)

_MAKERS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
    "hardswish": nn.Hardswish,
}

ELEMENTWISE = tuple(type(make()) for make in _MAKERS.values())
"""The modules of all activations: they take a tensor of any shape."""


def activation(name: ActivationName) -> nn.Module:
    """Return a new activation module."""
    return _MAKERS[name]()


class ParametricActivation(nn.Module):
    """A mixture of an activation and the identity, with a learned share of each per neuron.

    It starts as the activation alone. The share is 1 + speed x parameter: under Adam that is a learning rate `speed`
    times as large.

    Args:
        name: of the activation.
        width: neurons.
        speed: learning rate of the shares, as a multiple.
    """

    stacks: ClassVar[bool] = True

    def __init__(self, name: ActivationName, width: int, speed: float) -> None:
        super().__init__()
        self.inner = activation(name)
        self.speed = speed
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width], or [k, n, width] of a stack."""
        share = 1 + self.speed * self.shift
        share = share if share.ndim == 1 else share[:, None]
        mixed: Tensor = values + share * (self.inner(values) - values)
        return mixed
