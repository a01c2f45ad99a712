"""The numbers of k members of one form: weights as rows of one matrix, and buffers beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from goodfit.optimizers import OPTIMIZERS, StackedOptimizer
from goodfit.registry import Section
from goodfit.training.member import Member, State


class Stack:
    """What a step changes.

    Weights are rows of one matrix [k, p], so that one operation steps all; `parameters` are views of it, [k, ...] by
    name. Whole-number buffers (which columns are one-hot, say) are alike in all members and stay in the model.

    Args:
        members: of one form.
        optimizers: their options.
        device: where to compute.
    """

    def __init__(self, members: Sequence[Member], optimizers: Sequence[Section], device: torch.device) -> None:
        self.layout = _layout(members)
        rows = [_row(member, self.layout) for member in members]
        self.weights = torch.stack(rows).to(device)
        self.buffers = _stacked([_buffers(member) for member in members], device)
        built = [OPTIMIZERS.build(options) for options in optimizers]
        self.rates = [rule.lr for rule in built]
        self.optimizer = StackedOptimizer(
            optimizers[0].model_dump()["kind"], built, self.weights, _decays(members, self.layout)
        )
        self.parameters = self._leaves()

    def __len__(self) -> int:
        return len(self.weights)

    def views(self, weights: Tensor) -> State:
        """Return the parameters by name, [k, ...] each, that lie in weights [k, p]."""
        return {name: weights[:, first:last].view(-1, *shape) for name, (first, last, shape) in self.layout.items()}

    def step(
        self, gradients: Sequence[Tensor] | Tensor, rates: list[float], decays_left: list[float] | None = None
    ) -> None:
        """Step along gradients.

        Args:
            gradients: [k, ...] each, or [...] of a stack of one; or [k, p], which may be changed.
            rates: learning rate of each member.
            decays_left: what is left of each member's decay; without it nothing has faded.
        """
        flat = gradients if isinstance(gradients, Tensor) else self._flat(gradients)
        self.optimizer.step(flat, rates, decays_left)

    def _flat(self, gradients: Sequence[Tensor]) -> Tensor:
        return torch.cat([gradient.reshape(len(self), -1) for gradient in gradients], dim=1)

    def keep(self, rows: list[int]) -> None:
        """Go on with some of the members."""
        self.weights = self.weights[rows]
        self.buffers = {name: buffer[rows] for name, buffer in self.buffers.items()}
        self.rates = [self.rates[row] for row in rows]
        self.optimizer.keep(rows, self.weights)
        self.parameters = self._leaves()

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a step changes."""
        return {"weights": self.weights, "buffers": self.buffers, "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, value: Mapping[str, Any]) -> None:
        """Go on from an earlier state of the same members."""
        self.weights.copy_(value["weights"])
        for name, buffer in self.buffers.items():
            buffer.copy_(value["buffers"][name])
        self.optimizer.load_state_dict(value["optimizer"])

    def _leaves(self) -> State:
        return {name: view.detach().requires_grad_() for name, view in self.views(self.weights).items()}


def _layout(members: Sequence[Member]) -> dict[str, tuple[int, int, tuple[int, ...]]]:
    """Return first column, last one (exclusive) and shape of each parameter.

    Matrices come first, so that what decays is mostly one stretch. The order depends on no member's numbers: a place in
    memory can change the last bits of a result.
    """
    parameters = dict(members[0].model.named_parameters())
    layout, first = {}, 0
    for name in sorted(parameters, key=lambda name: parameters[name].ndim < 2):
        last = first + parameters[name].numel()
        layout[name] = (first, last, tuple(parameters[name].shape))
        first = last
    return layout


def _decays(
    members: Sequence[Member], layout: Mapping[str, tuple[int, int, tuple[int, ...]]]
) -> list[tuple[int, int, list[float]]]:
    stretches: list[tuple[int, int, list[float]]] = []
    for name, (first, last, _) in layout.items():
        strengths = _strengths(members, name)
        if stretches and stretches[-1][2] == strengths:
            stretches[-1] = (stretches[-1][0], last, strengths)
        else:
            stretches.append((first, last, strengths))
    return [stretch for stretch in stretches if any(stretch[2])]


def _strengths(members: Sequence[Member], name: str) -> list[float]:
    return [member.regularization.decay_of(name, member.model.get_parameter(name)) for member in members]


def _row(member: Member, layout: Mapping[str, tuple[int, int, tuple[int, ...]]]) -> Tensor:
    return torch.cat([member.model.get_parameter(name).detach().flatten() for name in layout])


def _buffers(member: Member) -> State:
    named = [*member.model.named_buffers(), *member.regularization.named_buffers(prefix="regularization")]
    return {name: buffer for name, buffer in named if buffer.dtype != torch.int64}


def _stacked(states: Sequence[State], device: torch.device) -> State:
    return {name: torch.stack([state[name] for state in states]).to(device) for name in states[0]}
