"""All regularizers of one training together: their section of params.yaml, and their hooks as one."""

from collections.abc import Hashable, Sequence
from typing import Any

from torch import Tensor, nn

from goodfit.errors import Fault
from goodfit.registry import Section
from goodfit.regularizers.base import REGULARIZERS, Regularizer

PLACE = "params.yaml: regularization"


class _RegularizationSection(REGULARIZERS.fields()):  # type: ignore[misc]  # made at run time, from the registry
    """The `regularization` section of params.yaml: one field per regularizer, each off by its defaults."""


RegularizationSection: type[Section] = _RegularizationSection


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

    def before_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return every member's modules for this place, in order."""
        return [module for member in self.active for module in member.before_activation(index, count, width)]

    def after_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return every member's modules for this place, in order."""
        return [module for member in self.active for module in member.after_activation(index, count, width)]

    def targets(self, target: Tensor, classes: int) -> Tensor:
        """Return training targets after every member: [n], or [n, classes] probabilities."""
        for member in self.active:
            target = member.targets(target, classes)
        return target

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

    def parameter_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """Return one optimizer group per strength of decay, the parameters of each in the model's order."""
        groups: dict[float, list[nn.Parameter]] = {}
        for name, parameter in model.named_parameters():
            groups.setdefault(self.decay_of(name, parameter), []).append(parameter)
        return [{"params": params, "weight_decay": decay} for decay, params in sorted(groups.items())]

    def changes_targets(self) -> bool:
        """Return whether `targets` does anything, so that a step can leave the call out."""
        return bool(_overridden(self.active, "targets"))

    def changes_gradients(self) -> bool:
        """Return whether `gradients` does anything, so that a step can leave the call out."""
        return bool(_overridden(self.active, "gradients"))

    @property
    def stacks(self) -> bool:
        """Return whether both of these hooks also take tensors [k, ...] of k members."""
        hooks = ("targets", "gradients")
        return all(member.stacks for hook in hooks for member in _overridden(self.active, hook))


def program(section: Section) -> Hashable:
    """Return what the sections of all members of one program have in common."""
    options = {kind: dict(getattr(section, kind)) for kind in REGULARIZERS}
    active = {kind for kind in REGULARIZERS if built(kind, section).active}
    return tuple((kind, REGULARIZERS[kind].cls.program(options[kind])) for kind in sorted(active) if not _beside(kind))


def _beside(kind: str) -> bool:
    return REGULARIZERS[kind].cls.beside


def built(kind: str, section: Section) -> Regularizer:
    """Build one regularizer from its field of the section."""
    member = REGULARIZERS[kind]
    return member.cls(**dict(getattr(section, kind)))


def applicability_faults(section: Section, model_kind: str, task: str, hidden_layers: bool = True) -> list[Fault]:
    """Return a fault for each active regularizer that cannot act on this model or task.

    Args:
        section: an instance of `RegularizationSection`.
        model_kind: the model's name, for messages.
        task: binary, multiclass or regression.
        hidden_layers: the model's fact of that name.
    """
    faults = []
    for kind in REGULARIZERS:
        facts = REGULARIZERS[kind].facts
        if not built(kind, section).active:
            continue
        if task not in facts["tasks"]:
            rule = f"does not apply to {task}, only to {' and '.join(facts['tasks'])}"
            faults.append(Fault(f"{PLACE}.{kind}", rule, None, "Leave it out."))
        if facts["needs_hidden_layers"] and not hidden_layers:
            rule = f"acts on hidden layers, and model '{model_kind}' has none"
            faults.append(Fault(f"{PLACE}.{kind}", rule, None, "Leave it out, or take another model."))
    return faults


def _overridden(members: Sequence[Regularizer], hook: str) -> list[Regularizer]:
    return [member for member in members if getattr(type(member), hook) is not getattr(Regularizer, hook)]
