"""The contract of an optimizer: options in, a `torch.optim.Optimizer` over parameter groups out."""

from abc import ABC, abstractmethod
from typing import Annotated, Any, TypeAlias

import torch
from pydantic import Field
from torch.nn import Parameter

from goodfit.registry import Registry

LearningRate = Annotated[float, Field(gt=0, le=100)]
Decayed = Annotated[float, Field(ge=0, lt=1)]
"""The share of a running mean that is kept at each step."""
Epsilon = Annotated[float, Field(gt=0, le=1)]

Group: TypeAlias = dict[str, Any]
"""`params`: parameters; `weight_decay`: strength per unit of learning rate, from the regularizers (default 0)."""


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


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer")


def fused_on(groups: list[Group]) -> bool:
    """Return whether torch's single-kernel step can take these parameters: dense floats on one kind of device."""
    parameters: list[Parameter] = [parameter for group in groups for parameter in group["params"]]
    return all(p.is_floating_point() and p.device.type in ("cpu", "cuda") for p in parameters)
