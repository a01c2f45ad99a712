"""The `regularization` section of params.yaml, and what cannot be asked for in it."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import model_validator

from goodfit.errors import Fault
from goodfit.registry import Section, refuse
from goodfit.regularizers.base import REGULARIZERS
from goodfit.regularizers.regularization import active_in

PLACE = "params.yaml: regularization"
if TYPE_CHECKING:  # made at run time, from the registry
    Fields = Section
else:
    Fields = REGULARIZERS.fields()


class _RegularizationSection(Fields):
    """The `regularization` section of params.yaml: one field per regularizer, each off by its defaults."""

    @model_validator(mode="after")
    def _check_together(self) -> "_RegularizationSection":
        active = list(active_in(self))
        _refuse_orphans(active)
        _refuse_rivals(active)
        return self


RegularizationSection: type[Section] = _RegularizationSection


def program(section: Section) -> Hashable:
    """Return what the sections of all members of one program have in common."""
    active = active_in(section).items()
    return tuple((kind, member.program(dict(getattr(section, kind)))) for kind, member in active if not member.beside)


def applicability_faults(
    section: Section,
    model_kind: str,
    task: str,
    hidden_layers: bool = True,
    widths: Sequence[int] = (),
    cycles: bool = True,
) -> list[Fault]:
    """Return a fault for each active regularizer that cannot act on this model or task.

    Args:
        section: an instance of `RegularizationSection`.
        model_kind: the model's name, for messages.
        task: binary, multiclass or regression.
        hidden_layers: the model's fact of that name.
        widths: of its hidden layers, where it knows them.
        cycles: whether the learning rate moves in cycles.
    """
    faults: list[Fault] = []
    for kind, member in active_in(section).items():
        facts = REGULARIZERS[kind].facts
        if widths:
            named = (replace(fault, place=f"{PLACE}.{kind}.{fault.place}") for fault in member.width_faults(widths))
            faults.extend(named)
        if member.needs_cycles and not cycles:
            rule = "acts at the ends of the learning rate's cycles, and the schedule has none"
            faults.append(Fault(f"{PLACE}.{kind}", rule, None, "Set training.schedule: {kind: cosine_restarts}."))
        if task not in facts["tasks"]:
            rule = f"does not apply to {task}, only to {' and '.join(facts['tasks'])}"
            faults.append(Fault(f"{PLACE}.{kind}", rule, None, "Leave it out."))
        if facts["needs_hidden_layers"] and not hidden_layers:
            rule = f"acts on hidden layers, and model '{model_kind}' has none"
            faults.append(Fault(f"{PLACE}.{kind}", rule, None, "Leave it out, or take another model."))
    return faults


def _refuse_orphans(active: Sequence[str]) -> None:
    for kind in active:
        parent = REGULARIZERS[kind].cls.parent
        if parent and parent not in active:
            rule = f"{kind} acts through {parent}, which is off"
            refuse(rule, f"Turn {parent} on, or {kind} off.")


def _refuse_rivals(active: Sequence[str]) -> None:
    groups: dict[str, list[str]] = defaultdict(list)
    for kind in active:
        groups[REGULARIZERS[kind].cls.one_of].append(kind)
    for group, members in groups.items():
        if group and len(members) > 1:
            named = " and ".join(members)
            rule = f"{named} are active together, and of {group} at most one can be"
            refuse(rule, "Turn all but one of them off.")
