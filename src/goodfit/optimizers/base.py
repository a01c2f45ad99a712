"""The contract of an optimizer: options in, a `torch.optim.Optimizer` over parameter groups out."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from typing import Annotated, Any, TypeAlias

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import Parameter

from goodfit.registry import Registry

LearningRate = Annotated[float, Field(gt=0, le=100)]
Decayed = Annotated[float, Field(ge=0, lt=1)]
"""The share of a running mean that is kept at each step."""
Epsilon = Annotated[float, Field(gt=0, le=1)]

Group: TypeAlias = dict[str, Any]
"""`params`: parameters; `weight_decay`: strength per unit of learning rate, from the regularizers (default 0)."""


class Numbers:
    """The options of k members: as floats, and as columns [k, 1] that multiply a stack [k, p]."""

    def __init__(self, values: Mapping[str, list[float]], like: Tensor) -> None:
        self.values = values
        self._like = like

    def __getitem__(self, name: str) -> list[float]:
        return self.values[name]

    def column(self, name: str) -> Tensor:
        """Return one option as [k, 1]."""
        return column(self.values[name], self._like)


def column(values: list[float], like: Tensor) -> Tensor:
    """Return one number for each member as [k, 1], to compute with `like`, [k, p]."""
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None]


class Optimizer(ABC):
    """The rule of one optimizer, before it has seen any parameter.

    Every member has `lr`, the base learning rate that a schedule multiplies. Weight decay is no option of an
    optimizer: it belongs to the regularizers and arrives in the groups, and every optimizer applies it decoupled from
    the gradient (weight <- weight - lr x decay x weight), except `adam`, whose coupled form is its difference to
    `adamw`; the registration says so in `decoupled`.
    """

    lr: float

    @abstractmethod
    def build(self, groups: list[Group]) -> torch.optim.Optimizer:
        """Return the optimizer over these groups, in the form that is fastest on their device."""

    @property
    def form(self) -> Hashable:
        """Return what decides which operations a step is made of: equal in all members of a stack."""
        return ()

    @abstractmethod
    def numbers(self) -> Mapping[str, float]:
        """Return the options that may differ between the members of a stack, without the learning rate."""

    @abstractmethod
    def start(self, weights: Tensor) -> dict[str, Tensor]:
        """Return the state before the first step; every tensor [k, ...], for weights [k, p] of k members."""

    @abstractmethod
    def step(
        self, weights: Tensor, gradients: Tensor, state: Mapping[str, Tensor], numbers: Numbers, count: int
    ) -> None:
        """Take one step of k members in place, without any decay: the formula of what `build` returns.

        Args:
            weights, gradients: [k, p].
            state: from `start`, changed in place.
            numbers: of each member, its learning rate among them, as `lr`.
            count: steps taken, this one included.
        """


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer")


def fused_on(groups: list[Group]) -> bool:
    """Return whether torch's single-kernel step can take these parameters: dense floats on one kind of device."""
    parameters: list[Parameter] = [parameter for group in groups for parameter in group["params"]]
    return all(p.is_floating_point() and p.device.type in ("cpu", "cuda") for p in parameters)
