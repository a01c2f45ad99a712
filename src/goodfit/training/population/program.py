"""What a population computes: the functions of one member, over the numbers of all of them."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from goodfit.training.batches import Batch
from goodfit.training.member import Member, State
from goodfit.training.noise import Demand, Drawn, Generators, Numbers, Recorder, sourced
from goodfit.training.population.chain import Descent
from goodfit.training.population.hooks import Hooks
from goodfit.training.population.network import Network, of_one

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
            changed = self.hooks.batch(batch, recorders["batch"])
            self._plain(changed, self.hooks.targets(changed.target, recorders["targets"]), recorders)
            if self.hooks.bends:
                self.hooks.gradients([p.detach() for p in self.network.parameters.values()], recorders["gradients"])
        return {phase: recorder.demand for phase, recorder in recorders.items()}

    def descent(self, batch: Batch, numbers: Mapping[str, Drawn]) -> tuple[Tensor, Sequence[Tensor] | Tensor]:
        """Return what each member minimizes, [k], and the gradients to step along, as `Stack.step` takes them."""
        if self.network.descent is not None and self.hooks.leave_weights_alone:
            return self._by_hand(self.network.descent, batch, numbers)
        objectives, raw = self._slopes(batch, numbers)
        if self.hooks.perturbs:
            with self.network.aside(self._perturbed(raw)):
                objectives, raw = self._slopes(batch, numbers)
        if self.hooks.bends:
            with torch.no_grad():
                raw = self.hooks.gradients(self.network.stacked(raw), numbers["gradients"])
        return objectives.detach(), raw

    @torch.no_grad()
    def _by_hand(self, descent: Descent, batch: Batch, numbers: Mapping[str, Drawn]) -> tuple[Tensor, Tensor]:
        """Return the objective [1] and the gradient [1, p] of a stack of one, without a graph."""
        batch = self.hooks.batch(batch, numbers["batch"])
        target = self.hooks.targets(batch.target, numbers["targets"])[0]
        with sourced(numbers["forward"]):
            logits = descent.chain.forward(of_one(batch))
        objective = self.member.task.loss(logits, target).mean()[None]
        descent.chain.backward(self.member.task.slopes(logits, target).div_(len(logits)))
        return objective, descent.gradients[None]

    def _slopes(self, batch: Batch, numbers: Mapping[str, Drawn]) -> tuple[Tensor, Sequence[Tensor]]:
        """Return objectives and raw gradients; of a stack of one the latter are [...], without its dimension."""
        network = self.network
        objectives = self._losses(batch, numbers).mean(dim=1)
        if self.hooks.penalizes:
            objectives = self.hooks.penalized(objectives, network.stacked(network.leaves))
        return objectives, torch.autograd.grad(objectives.sum(), network.leaves)  # each member's, of its own objective

    def _perturbed(self, raw: Sequence[Tensor]) -> State:
        with torch.no_grad():
            offsets = self.hooks.perturbation(self.network.stacked(raw))
            named = zip(self.network.parameters.items(), offsets, strict=True)
            return {name: (weight + offset).requires_grad_() for (name, weight), offset in named}

    def _losses(self, batch: Batch, numbers: Mapping[str, Drawn]) -> Tensor:
        """Return the loss of each row, [k, n]."""
        batch = self.hooks.batch(batch, numbers["batch"])
        target = self.hooks.targets(batch.target, numbers["targets"])
        if not self.hooks.attacks:
            return self._plain(batch, target, numbers)
        batch = self.hooks.prepared(batch)
        open_to_attack = Batch(batch.numeric.detach().requires_grad_(), batch.categorical, batch.target)
        losses = self._plain(open_to_attack, target, numbers)
        (gradient,) = torch.autograd.grad(losses.sum(), open_to_attack.numeric, retain_graph=True)
        with self.network.aside():  # running statistics are those of true rows
            moved = self._plain(self.hooks.attack(batch, gradient), target, numbers)
        return self.hooks.attacked(losses, moved)

    def _plain(self, batch: Batch, target: Tensor, numbers: Mapping[str, Drawn]) -> Tensor:
        logits = self.network(batch, numbers["forward"])
        if logits.ndim == 4:  # several predictions of each row: each counts like a row of its own
            target, logits = target.repeat_interleave(logits.shape[2], dim=1), logits.flatten(1, 2)
        losses = self.member.task.loss(logits.flatten(0, 1), target.flatten(0, 1)).view(logits.shape[:2])
        return self.hooks.row_losses(losses, logits, target, numbers["losses"])


def draw(demands: Demands, generators: Generators) -> dict[str, Numbers]:
    """Return the numbers of one step."""
    return {phase: generators.draw(demand) for phase, demand in demands.items()}
