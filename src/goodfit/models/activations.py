"""Activation functions by name, and the gain that keeps the variance of a signal through a layer that has it."""

from collections.abc import Callable
from typing import Literal, get_args

from torch import nn

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
