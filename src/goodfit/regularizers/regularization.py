"""All regularizers of one training together: their hooks as one."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from goodfit.registry import Section
from goodfit.regularizers.base import PURE, REGULARIZERS, Regularizer
from goodfit.regularizers.rows import Rows
from goodfit.regularizers.shortcut import Shortcut


class Regularization(nn.Module):
    """The active regularizers of one training, in the order of their names, behind the hooks of a single one.

    It satisfies `goodfit.models.HiddenBlocks`.

    Args:
        section: an instance of `RegularizationSection`.
    """

    def __init__(self, section: Section) -> None:
        super().__init__()
        every = {kind: built(kind, section) for kind in REGULARIZERS}
        self.members = nn.ModuleDict({kind: member for kind, member in every.items() if member.active})

    @property
    def active(self) -> list[Regularizer]:
        """Return the regularizers that have an effect."""
        return [member for member in self.members.values() if isinstance(member, Regularizer)]

    @property
    def recentres(self) -> bool:
        """Return whether a bias before an activation would be idle."""
        return any(member.recentres for member in self.active)

    @property
    def shortcuts(self) -> bool:
        """Return whether hidden layers get a path around them where widths allow."""
        return any(member.shortcut for member in self.active)

    def meet(self, target: Tensor, classes: int) -> None:
        """Show the targets [n] of all train rows to every member."""
        for member in self.active:
            member.meet(target, classes)

    def before_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return every member's modules for this place, in order."""
        return [module for member in self.active for module in member.before_activation(index, count, width)]

    def after_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return every member's modules for this place, in order."""
        return [module for member in self.active for module in member.after_activation(index, count, width)]

    def linear_map(self, linear: nn.Module) -> nn.Module:
        """Return what stands for a hidden layer's linear map, after every member."""
        for member in self.active:
            linear = member.linear_map(linear)
        return linear

    def hidden_layer(
        self, index: int, count: int, before: int, width: int, layer: Callable[[], list[nn.Module]]
    ) -> list[nn.Module]:
        """Return the modules of a hidden layer, with a path around them where a member asks for it and widths allow."""
        if index == 0 or before != width or not self.shortcuts:
            return layer()
        for member in self.active:
            layer = partial(member.branch, index, count, layer)
        return [Shortcut(nn.Sequential(*layer()))]

    def batch(self, rows: Rows, target: Tensor, classes: int) -> tuple[Rows, Tensor]:
        """Return the rows to train on and their targets after every member."""
        for member in self.active:
            rows, target = member.batch(rows, target, classes)
        return rows, target

    def targets(self, target: Tensor, classes: int) -> Tensor:
        """Return training targets after every member: [n], or [n, classes] probabilities."""
        for member in self.active:
            target = member.targets(target, classes)
        return target

    def row_losses(self, losses: Tensor, logits: Tensor, target: Tensor, classes: int) -> Tensor:
        """Return the losses [n] whose mean is minimized, after every member."""
        for member in self.active:
            losses = member.row_losses(losses, logits, target, classes)
        return losses

    def attack(self, rows: Rows, gradient: Tensor) -> Rows:
        """Return the rows as adversaries move them."""
        for member in self.active:
            rows = member.attack(rows, gradient)
        return rows

    def attacked(self, losses: Tensor, attacked: Tensor) -> Tensor:
        """Return the losses [n] of rows and attacked rows together."""
        for member in self.active:
            losses = member.attacked(losses, attacked)
        return losses

    def penalty(self, weights: Sequence[Tensor]) -> Tensor:
        """Return the sum of all penalties."""
        penalties = [member.penalty(weights) for member in overriding(self.active, "penalty")]
        return torch.stack(penalties).sum(dim=0)

    def perturbation(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return the sum of all perturbations."""
        every = [member.perturbation(gradients) for member in overriding(self.active, "perturbation")]
        return [torch.stack(parts).sum(dim=0) for parts in zip(*every, strict=True)]

    def constrained(self, weights: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return what the weights become after a step, after every member."""
        for member in self.active:
            weights = member.constrained(weights)
        return weights

    def gradients(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return the gradients to step along, after every member."""
        for member in self.active:
            gradients = member.gradients(gradients)
        return gradients

    def should_stop(self, losses: Sequence[float]) -> bool:
        """Return whether any member ends the training, given the validation loss after each epoch so far."""
        return any(member.should_stop(losses) for member in self.active)

    def kept_epoch(self, losses: Sequence[float]) -> int:
        """Return the index of the epoch whose weights are kept: the earliest that a member asks for, else the last."""
        return min([len(losses) - 1, *(member.kept_epoch(losses) for member in self.active)])

    def decay_of(self, name: str, parameter: nn.Parameter) -> float:
        """Return the decay of one parameter per unit of learning rate, of all members together."""
        return float(sum(member.decay(name, parameter) for member in self.active))

    def decays_left(self, share: Tensor) -> list[float]:
        """Return the factors on all decay when the given shares of the training are over."""
        left = torch.ones_like(share)
        for member in overriding(self.active, "decay_left"):
            left = left * member.decay_left(share)
        return left.tolist()

    def changes(self, hook: str) -> bool:
        """Return whether a hook of `PURE` does anything, so that a step can leave the call out."""
        return bool(overriding(self.active, hook))

    @property
    def trailing(self) -> dict[str, Regularizer]:
        """Return by kind those that keep a second set of weights; what is shown of the last one counts."""
        found = {kind: member for kind, member in self.members.items() if isinstance(member, Regularizer)}
        kept = {kind: found[kind] for kind in found if overriding([found[kind]], "follow")}
        return dict(sorted(kept.items(), key=lambda item: not item[1].moves_weights))

    @property
    def stacks(self) -> bool:
        """Return whether all hooks of `PURE` also take tensors [k, ...] of k members."""
        return all(member.stacks for hook in PURE for member in overriding(self.active, hook))


def overriding(members: Sequence[Regularizer], hook: str) -> list[Regularizer]:
    """Return the members whose hook does anything."""
    return [member for member in members if getattr(type(member), hook) is not getattr(Regularizer, hook)]


def built(kind: str, section: Section) -> Regularizer:
    """Build one regularizer from its field of the section."""
    member = REGULARIZERS[kind]
    return member.cls(**dict(getattr(section, kind)))
