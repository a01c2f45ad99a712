"""What a population computes: the functions of one member, over the numbers of all of them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.func import functional_call

from goodfit.models.activations import ELEMENTWISE
from goodfit.regularizers.noise import drawn_from
from goodfit.training.batches import Batch
from goodfit.training.member import EVALUATION_ROWS, Member, State
from goodfit.training.noise import Demand, Generators, Numbers, Recorder, tape
from goodfit.training.population.each import each
from goodfit.training.population.lending import Lent

Demands: TypeAlias = Mapping[str, Demand]
"""What one step needs in its forward pass, for its targets and for its gradients."""
FEWEST_ROWS = 256
"""Rows per member in a forward pass outside of training, at least; fewer as there are more members."""


class Hooks(nn.Module):
    """The hooks of the regularizers as a module, so that strengths can be lent to it."""

    def __init__(self, regularization: nn.Module) -> None:
        super().__init__()
        self.regularization = regularization

    def forward(self, name: str, *arguments: Any) -> Any:
        """Call one."""
        return getattr(self.regularization, name)(*arguments)


class Program:
    """The computation that k members share, over the numbers that are lent to it.

    Rows are [k, n, ...], or [n, ...] where all members see the same; everything by name is [k, ...].

    Args:
        member: any of them, for its form.
    """

    def __init__(self, member: Member) -> None:
        self.member = member
        self.stacks = all(_stacks(module) for module in member.model.modules())
        self.smooths = member.regularization.changes_targets()
        self.clips = member.regularization.changes_gradients()
        self.model, self.hooks = Lent(member.model), Lent(Hooks(member.regularization))
        self.parameters: State = {}
        self.buffers: State = {}
        self.strengths: State = {}

    def lend(self, parameters: State, buffers: State) -> None:
        """Compute with these from now on; running statistics in `buffers` move along."""
        self.parameters = parameters
        self.strengths = {name: buffer for name, buffer in buffers.items() if name.startswith("regularization.")}
        self.buffers = {name: buffer for name, buffer in buffers.items() if name not in self.strengths}
        if self.stacks:
            self.model.lend(parameters | self.buffers)
        if self.member.regularization.stacks:
            self.hooks.lend(self.strengths)

    def demands(self, batch: Batch) -> Demands:
        """Return what random numbers a step over such a batch needs, from a trial of it."""
        members = len(batch.target)
        hooks = members if self.member.regularization.stacks else 1
        recorders = {"forward": Recorder(members if self.stacks else 1)}
        recorders |= {phase: Recorder(hooks) for phase in ("targets", "gradients")}
        before = {name: buffer.clone() for name, buffer in self.buffers.items()}
        with torch.no_grad(), drawn_from(recorders["forward"]):
            self._forward(batch, {})
        with torch.no_grad(), drawn_from(recorders["targets"]):
            self._targets(batch.target, {})
        with torch.no_grad(), drawn_from(recorders["gradients"]):
            self.stepped([parameter.detach() for parameter in self.parameters.values()], {})
        for name, buffer in before.items():  # the trial moved running statistics
            self.buffers[name].copy_(buffer)
        return {phase: recorder.demand for phase, recorder in recorders.items()}

    def objectives(self, batch: Batch, numbers: Mapping[str, Numbers]) -> Tensor:
        """Return what each member minimizes, [k]."""
        logits = self._forward(batch, numbers["forward"])
        target = self._targets(batch.target, numbers["targets"])
        losses = self.member.task.loss(logits.flatten(0, 1), target.flatten(0, 1))
        return losses.view(logits.shape[:2]).mean(dim=1)

    def stepped(self, gradients: Sequence[Tensor], numbers: Numbers) -> Sequence[Tensor]:
        """Return the gradients to step along, [k, ...] each."""
        return self._hook("gradients", list(gradients), numbers) if self.clips else gradients

    def plain_losses(self, data: Batch) -> Tensor:
        """Return the mean of the task's loss without any regularizer, of each member, float64[k]."""
        members = len(next(iter(self.parameters.values())))
        total = torch.zeros(members, dtype=torch.float64, device=data.target.device)
        self.model.module.eval()
        with torch.inference_mode():
            for part in _parts(data, max(EVALUATION_ROWS // members, FEWEST_ROWS)):
                logits, target = self._forward(part, {}), part.target.expand(members, -1)
                losses = self.member.task.loss(logits.flatten(0, 1), target.flatten())
                total += losses.view(target.shape).sum(dim=1, dtype=torch.float64)
        self.model.module.train()
        return total / data.target.shape[-1]

    def _forward(self, batch: Batch, numbers: Numbers) -> Tensor:
        """Return logits [k, n, outputs]."""
        rows = (batch.numeric, batch.categorical)
        if self.stacks:
            with tape(numbers):
                return self.model.module(*rows)  # type: ignore[no-any-return]
        model, shared = self.model.module, batch.target.ndim == 1

        def one(state: tuple[State, State], rows: tuple[Tensor, Tensor]) -> Tensor:
            return functional_call(model, state, rows)  # type: ignore[no-any-return]

        logits: Tensor = each(one, (self.parameters, self.buffers), rows, numbers, shared=shared)
        return logits

    def _targets(self, target: Tensor, numbers: Numbers) -> Tensor:
        """Return training targets [k, n] or [k, n, classes]."""
        return self._hook("targets", target, numbers, self.member.classes) if self.smooths else target

    def _hook(self, name: str, value: Any, numbers: Numbers, *options: Any) -> Any:
        hooks = self.hooks.module
        if self.member.regularization.stacks:
            with tape(numbers):
                return hooks(name, value, *options)

        def one(state: tuple[Any, State], _: tuple[()]) -> Any:
            return functional_call(hooks, state[1], (name, state[0], *options))

        return each(one, (value, self.strengths), (), numbers)


def draw(demands: Demands, generators: Generators) -> dict[str, Numbers]:
    """Return the numbers of one step."""
    return {phase: generators.draw(demand) for phase, demand in demands.items()}


def _parts(data: Batch, size: int) -> list[Batch]:
    axis = data.target.ndim - 1
    columns = (torch.split(part, size, dim=axis) for part in (data.numeric, data.categorical, data.target))
    return [Batch(*part) for part in zip(*columns, strict=True)]


def _stacks(module: nn.Module) -> bool:
    return bool(getattr(module, "stacks", False)) or isinstance(module, (nn.Sequential, *ELEMENTWISE))
