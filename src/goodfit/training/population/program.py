"""What a population computes: the functions of one member, over the numbers of all of them."""

import operator
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from goodfit.models.activations import ELEMENTWISE
from goodfit.regularizers.noise import drawn_from
from goodfit.training.batches import Batch
from goodfit.training.member import EVALUATION_ROWS, Member, State
from goodfit.training.noise import Demand, Generators, Numbers, Recorder, Tape

Demands: TypeAlias = Mapping[str, Demand]
"""What one step needs in its forward pass, for its targets and for its gradients."""
FEWEST_ROWS = 256
"""Rows per member in a forward pass outside of training, at least; fewer as there are more members."""


class Hook(nn.Module):
    """One hook of the regularizers as a module, so that `functional_call` can lend it a member's strengths."""

    def __init__(self, regularization: nn.Module, name: str) -> None:
        super().__init__()
        self.regularization = regularization
        self.name = name

    def forward(self, *arguments: Any) -> Any:
        """Call it."""
        return getattr(self.regularization, self.name)(*arguments)


class Program:
    """The computation that k members share.

    Rows are [k, n, ...], or [n, ...] where all members see the same; everything by name is [k, ...].

    Args:
        member: any of them, for its form.
    """

    def __init__(self, member: Member) -> None:
        self.member = member
        self.model = member.model
        self.stacks = all(_stacks(module) for module in self.model.modules())
        self.smooths = member.regularization.changes_targets()
        self.clips = member.regularization.changes_gradients()
        self.targets, self.gradients = (Hook(member.regularization, name) for name in ("targets", "gradients"))

    def demands(self, parameters: State, buffers: State, batch: Batch) -> Demands:
        """Return what random numbers a step over such a batch needs, from a trial of it with one member."""
        one = {name: tensor[:1] for name, tensor in parameters.items()}
        lent = {name: tensor[:1].clone() for name, tensor in buffers.items()}  # the trial moves running statistics
        rows = Batch(*(part[:1] for part in (batch.numeric, batch.categorical, batch.target)))
        recorders = {phase: Recorder(1) for phase in ("forward", "targets", "gradients")}
        with torch.no_grad():
            with drawn_from(recorders["forward"]):
                self._forward(one, lent, rows, {})
            with drawn_from(recorders["targets"]):
                self._targets(lent, rows.target, {})
            with drawn_from(recorders["gradients"]):
                self.stepped(list(one.values()), lent, {})
        return {phase: recorder.demand for phase, recorder in recorders.items()}

    def objectives(self, parameters: State, buffers: State, batch: Batch, numbers: Mapping[str, Numbers]) -> Tensor:
        """Return what each member minimizes, [k]; running statistics in `buffers` move along."""
        logits = self._forward(parameters, buffers, batch, numbers["forward"])
        target = self._targets(buffers, batch.target, numbers["targets"])
        losses = self.member.task.loss(logits.flatten(0, 1), target.flatten(0, 1))
        return losses.view(logits.shape[:2]).mean(dim=1)

    def stepped(self, gradients: Sequence[Tensor], buffers: State, numbers: Numbers) -> Sequence[Tensor]:
        """Return the gradients to step along, [k, ...] each."""
        if not self.clips:
            return gradients
        state = (list(gradients), _of_regularizers(buffers))
        return _each(lambda s, _: functional_call(self.gradients, s[1], (s[0],)), state, (), numbers)  # type: ignore[no-any-return]

    def plain_losses(self, parameters: State, buffers: State, data: Batch) -> Tensor:
        """Return the mean of the task's loss without any regularizer, of each member, float64[k]."""
        members = len(next(iter(parameters.values())))
        total = torch.zeros(members, dtype=torch.float64, device=data.target.device)
        size = max(EVALUATION_ROWS // members, FEWEST_ROWS)
        self.model.eval()
        with torch.inference_mode():
            for part in _parts(data, size):
                logits = self._forward(parameters, buffers, part, {})
                target = part.target.expand(members, -1)
                losses = self.member.task.loss(logits.flatten(0, 1), target.flatten())
                total += losses.view(target.shape).sum(dim=1, dtype=torch.float64)
        self.model.train()
        return total / data.target.shape[-1]

    def _forward(self, parameters: State, buffers: State, batch: Batch, numbers: Numbers) -> Tensor:
        """Return logits [k, n, outputs]."""
        own = {name: buffer for name, buffer in buffers.items() if not name.startswith("regularization.")}
        if self.stacks:
            with _tape(numbers):
                logits: Tensor = functional_call(self.model, (parameters, own), (batch.numeric, batch.categorical))
            return logits

        def one(state: tuple[State, State], rows: tuple[Tensor, Tensor]) -> Tensor:
            return functional_call(self.model, state, rows)  # type: ignore[no-any-return]

        rows = (batch.numeric, batch.categorical)
        return _each(one, (parameters, own), rows, numbers, shared=batch.target.ndim == 1)  # type: ignore[no-any-return]

    def _targets(self, buffers: State, target: Tensor, numbers: Numbers) -> Tensor:
        """Return training targets [k, n] or [k, n, classes]."""
        if not self.smooths:
            return target
        state, classes = (target, _of_regularizers(buffers)), self.member.classes
        return _each(lambda s, _: functional_call(self.targets, s[1], (s[0], classes)), state, (), numbers)  # type: ignore[no-any-return]


def draw(demands: Demands, generators: Generators) -> dict[str, Numbers]:
    """Return the numbers of one step."""
    return {phase: generators.draw(demand) for phase, demand in demands.items()}


def _each(function: Callable[..., Any], state: Any, rows: Any, numbers: Numbers, shared: bool = False) -> Any:
    """Call a function of one member for all members, over tensors [k, ...]; `shared` rows have no such dimension."""

    def drawing(state: Any, rows: Any, numbers: Numbers) -> Any:
        with _tape(numbers):
            return function(state, rows)

    if _members(state) > 1:
        return vmap(drawing, in_dims=(0, None if shared else 0, 0))(state, rows, numbers)
    first = operator.itemgetter(0)
    result = drawing(_mapped(first, state), rows if shared else _mapped(first, rows), _mapped(first, numbers))
    return _mapped(lambda tensor: tensor[None], result)


def _members(state: Any) -> int:
    return len(state) if isinstance(state, Tensor) else _members(next(iter(_children(state))))


def _mapped(function: Callable[[Tensor], Tensor], value: Any) -> Any:
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {name: _mapped(function, part) for name, part in value.items()}
    return type(value)(_mapped(function, part) for part in value)


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def _tape(numbers: Numbers) -> Any:
    return drawn_from(Tape(numbers)) if numbers else nullcontext()


def _parts(data: Batch, size: int) -> list[Batch]:
    axis = data.target.ndim - 1
    columns = (torch.split(part, size, dim=axis) for part in (data.numeric, data.categorical, data.target))
    return [Batch(*part) for part in zip(*columns, strict=True)]


def _of_regularizers(buffers: State) -> State:
    return {name: buffer for name, buffer in buffers.items() if name.startswith("regularization.")}


def _stacks(module: nn.Module) -> bool:
    return bool(getattr(module, "stacks", False)) or isinstance(module, (nn.Sequential, *ELEMENTWISE))
