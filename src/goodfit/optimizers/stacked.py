"""One step for many members: their weights as the rows of one matrix, each with its own numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from goodfit.optimizers.base import OPTIMIZERS, Numbers, Optimizer, column


class StackedOptimizer:
    """The optimizers of k members, of one kind and form, as one.

    Args:
        kind: of all.
        members: their optimizers.
        weights: [k, p], changed in place by `step`.
        decays: per stretch of columns that decay alike: first column, last one (exclusive), strength of each member.
    """

    def __init__(
        self, kind: str, members: Sequence[Optimizer], weights: Tensor, decays: list[tuple[int, int, list[float]]]
    ) -> None:
        self.rule = members[0]
        self.decoupled = bool(OPTIMIZERS[kind].facts["decoupled"])
        self.weights = weights
        self.decays = decays
        self.numbers = {name: [float(m.numbers()[name]) for m in members] for name in self.rule.numbers()}
        self.state = self.rule.start(weights)
        self.count = 0

    @torch.no_grad()
    def step(self, gradients: Tensor, rates: list[float], decays_left: list[float] | None = None) -> None:
        """Take one step along gradients [k, p], which it may change.

        Args:
            gradients: [k, p].
            rates: learning rate of each member.
            decays_left: a factor on the decay of each member; 1 for all where there is none.
        """
        self.count += 1
        for first, last, full in self.decays:
            strengths = full if decays_left is None else [s * f for s, f in zip(full, decays_left, strict=True)]
            part = self.weights[:, first:last]
            if self.decoupled:
                left = [1 - lr * s for lr, s in zip(rates, strengths, strict=True)]
                part.mul_(left[0] if len(left) == 1 else column(left, part))
            else:
                gradients[:, first:last] += part * column(strengths, part)
        numbers = Numbers(self.numbers | {"lr": rates}, self.weights)
        self.rule.step(self.weights, gradients, self.state, numbers, self.count)

    def keep(self, rows: list[int], weights: Tensor) -> None:
        """Go on with some of the members; `weights` are theirs, [len(rows), p]."""
        self.weights = weights
        self.decays = [(first, last, [values[row] for row in rows]) for first, last, values in self.decays]
        self.numbers = {name: [values[row] for row in rows] for name, values in self.numbers.items()}
        self.state = {name: tensor[rows] for name, tensor in self.state.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return what a later `load_state_dict` goes on from."""
        return {"count": self.count, "state": self.state}

    def load_state_dict(self, value: Mapping[str, Any]) -> None:
        """Go on from an earlier state of the same members."""
        self.count = value["count"]
        for name, tensor in self.state.items():
            tensor.copy_(value["state"][name])
