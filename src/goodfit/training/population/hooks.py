"""The hooks of the regularizers, called for all members at once."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

from goodfit.preprocessing import Layout
from goodfit.regularizers import PURE, Regularization, Rows
from goodfit.training.batches import Batch
from goodfit.training.member import Member, State
from goodfit.training.noise import Drawn, sourced
from goodfit.training.population.each import each
from goodfit.training.population.lending import Lent

Hook = Callable[..., Any]
"""A function of the regularization, of tensors, and of options that are the same for all members."""


class _Calls(nn.Module):
    """The regularization as a module that calls what it is given, so that strengths can be lent to it."""

    def __init__(self, regularization: Regularization) -> None:
        super().__init__()
        self.regularization = regularization

    def forward(self, hook: Hook, value: Any, *options: Any) -> Any:
        """Call one hook."""
        return hook(self.regularization, value, *options)


class Hooks:
    """The hooks that any regularizer of a member overrides; every other call gives back what it was given.

    Args:
        member: any of them, for its form.
    """

    def __init__(self, member: Member) -> None:
        self.stacks = member.regularization.stacks
        self._member = member
        self._changed = {hook for hook in PURE if member.regularization.changes(hook)}
        self._lent = Lent(_Calls(member.regularization))
        self._strengths: State = {}

    @property
    def leave_weights_alone(self) -> bool:
        """Return whether all they change is rows and targets: then a step is the plain passes through the network."""
        return self._changed <= {"batch", "targets", "constrained"}

    def lend(self, strengths: State) -> None:
        """Compute with these strengths [k] from now on, by name."""
        self._strengths = strengths
        if self.stacks:
            self._lent.lend(strengths)

    def batch(self, batch: Batch, numbers: Drawn) -> Batch:
        """Return the rows to train on, [k, n, ...], prepared."""
        if "batch" not in self._changed:
            return batch
        batch = self.prepared(batch)
        parts = (batch.numeric, batch.categorical, batch.target)
        return Batch(*self._call(_batch, parts, numbers, self._member.layout, self._member.classes))

    def prepared(self, batch: Batch) -> Batch:
        """Return the rows with what depends on no parameter computed, where they were too many to do it once."""
        return Batch(*self._member.model.prepare(batch.numeric, batch.categorical), batch.target)

    def targets(self, target: Tensor, numbers: Drawn) -> Tensor:
        """Return training targets [k, n] or [k, n, classes]."""
        if "targets" not in self._changed:
            return target
        found: Tensor = self._call(Regularization.targets, target, numbers, self._member.classes)
        return found

    def row_losses(self, losses: Tensor, logits: Tensor, target: Tensor, numbers: Drawn) -> Tensor:
        """Return the losses [k, n] whose mean is minimized."""
        if "row_losses" not in self._changed:
            return losses
        found: Tensor = self._call(_row_losses, (losses, logits, target), numbers, self._member.classes)
        return found

    @property
    def attacks(self) -> bool:
        """Return whether rows are moved against the model."""
        return "attack" in self._changed

    def attack(self, batch: Batch, gradient: Tensor) -> Batch:
        """Return prepared rows as an adversary moves them, from the gradient [k, n, d] of their losses."""
        numeric: Tensor = self._call(_attack, (batch.numeric, batch.categorical, gradient), {}, self._member.layout)
        return Batch(numeric, batch.categorical, batch.target)

    def attacked(self, losses: Tensor, attacked: Tensor) -> Tensor:
        """Return the losses [k, n] that are minimized, from those of rows and of attacked rows."""
        found: Tensor = self._call(_attacked, (losses, attacked), {})
        return found

    @property
    def penalizes(self) -> bool:
        """Return whether there is any penalty."""
        return "penalty" in self._changed

    def penalized(self, objectives: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """Return objectives [k] with all penalties."""
        penalties: Tensor = self._call(Regularization.penalty, list(weights), {})
        return objectives + penalties.to(objectives.dtype)

    @property
    def perturbs(self) -> bool:
        """Return whether the gradient is taken beside the weights."""
        return "perturbation" in self._changed

    def perturbation(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return how far from the weights the gradient is taken, [k, ...] each."""
        found: Sequence[Tensor] = self._call(Regularization.perturbation, list(gradients), {})
        return found

    def constrain(self, weights: Sequence[Tensor]) -> None:
        """Change the weights [k, ...] in place to what they may be after a step."""
        if "constrained" in self._changed:
            for weight, found in zip(weights, self._call(Regularization.constrained, list(weights), {}), strict=True):
                weight.copy_(found)

    @property
    def bends(self) -> bool:
        """Return whether steps go along anything but the gradients."""
        return "gradients" in self._changed

    def gradients(self, gradients: Sequence[Tensor], numbers: Drawn) -> Sequence[Tensor]:
        """Return the gradients to step along, [k, ...] each."""
        found: Sequence[Tensor] = self._call(Regularization.gradients, list(gradients), numbers)
        return found

    def _call(self, hook: Hook, value: Any, numbers: Drawn, *options: Any) -> Any:
        calls = self._lent.module
        with sourced(numbers) as drawn:
            if self.stacks:
                return calls(hook, value, *options)

            def one(state: tuple[Any, State], _: tuple[()]) -> Any:
                return functional_call(calls, state[1], (hook, state[0], *options))

            return each(one, (value, self._strengths), (), drawn)


def _batch(
    regularization: Regularization, parts: tuple[Tensor, Tensor, Tensor], layout: Layout, classes: int
) -> tuple[Tensor, Tensor, Tensor]:
    rows, target = regularization.batch(Rows(parts[0], parts[1], layout), parts[2], classes)
    return rows.numeric, rows.categorical, target


def _attack(regularization: Regularization, parts: tuple[Tensor, Tensor, Tensor], layout: Layout) -> Tensor:
    return regularization.attack(Rows(parts[0], parts[1], layout), parts[2]).numeric


def _attacked(regularization: Regularization, parts: tuple[Tensor, Tensor]) -> Tensor:
    return regularization.attacked(*parts)


def _row_losses(regularization: Regularization, parts: tuple[Tensor, Tensor, Tensor], classes: int) -> Tensor:
    return regularization.row_losses(*parts, classes)
