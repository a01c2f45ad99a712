"""What a population computes: the functions of one member, over the numbers of all of them."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from goodfit.training.batches import Batch
from goodfit.training.member import Member, State
from goodfit.training.noise import Demand, Drawn, Generators, Numbers, Recorder
from goodfit.training.population.hooks import Hooks
from goodfit.training.population.network import Network

Demands: TypeAlias = Mapping[str, Demand]
"""What one step needs in each of its phases."""
PHASES = ("batch", "forward", "targets", "losses", "gradients")
"""The parts of a step that may draw random numbers, each from a stretch of its own."""


class Program:
    """The computation that k members share, over the numbers that are lent to it.

    Rows are [k, n, ...]; everything by name is [k, ...].

    Args:
        member: any of them, for its form.
    """

    def __init__(self, member: Member) -> None:
        self.member = member
        self.network = Network(member.model)
        self.hooks = Hooks(member)

    def lend(self, parameters: State, buffers: State) -> None:
        """Compute with these from now on; running statistics in `buffers` move along."""
        strengths = {name: buffer for name, buffer in buffers.items() if name.startswith("regularization.")}
        self.network.lend(parameters, {name: buffer for name, buffer in buffers.items() if name not in strengths})
        self.hooks.lend(strengths)

    def demands(self, batch: Batch) -> Demands:
        """Return what random numbers a step over such a batch needs, from a trial of it."""
        members = len(batch.target)
        forward = members if self.network.stacks else 1
        hooks = members if self.hooks.stacks else 1
        recorders = {phase: Recorder(forward if phase == "forward" else hooks) for phase in PHASES}
        with torch.no_grad(), self.network.aside():  # the trial moves no running statistics
            self._losses(batch, recorders)
            self.stepped([parameter.detach() for parameter in self.network.parameters.values()], recorders)
        return {phase: recorder.demand for phase, recorder in recorders.items()}

    def objectives(self, batch: Batch, numbers: Mapping[str, Drawn]) -> Tensor:
        """Return what each member minimizes, [k]."""
        return self._losses(batch, numbers).mean(dim=1)

    def stepped(self, gradients: Sequence[Tensor], numbers: Mapping[str, Drawn]) -> Sequence[Tensor]:
        """Return the gradients to step along, [k, ...] each."""
        return self.hooks.gradients(gradients, numbers["gradients"])

    def _losses(self, batch: Batch, numbers: Mapping[str, Drawn]) -> Tensor:
        """Return the loss of each row, [k, n]."""
        batch = self.hooks.batch(batch, numbers["batch"])
        logits = self.network(batch, numbers["forward"])
        target = self.hooks.targets(batch.target, numbers["targets"])
        losses = self.member.task.loss(logits.flatten(0, 1), target.flatten(0, 1)).view(logits.shape[:2])
        return self.hooks.row_losses(losses, logits, target, numbers["losses"])


def draw(demands: Demands, generators: Generators) -> dict[str, Numbers]:
    """Return the numbers of one step."""
    return {phase: generators.draw(demand) for phase, demand in demands.items()}
