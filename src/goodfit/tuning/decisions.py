"""Decisions of a search space: choices that set no option themselves, and only say which other options exist.

"One of none, mixup, cutmix" is no option of params.yaml. As `choose.augmentation` it is searched like one, and the
options of mixup exist when it is `mixup`; where it is not, they take the value they have `otherwise`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from goodfit.errors import Fault
from goodfit.tuning.dimension import Dimension, Scalar

PREFIX = "choose."


def is_decision(path: str) -> bool:
    """Return whether a path of the space is a decision, no option."""
    return path.startswith(PREFIX)


def holds(dimension: Dimension, chosen: Mapping[str, Scalar]) -> bool:
    """Return whether an option exists, given those it depends on: they exist, with a value it wants."""
    return all(path in chosen and chosen[path] in values for path, values in dimension.conditions.items())


def overrides(space: Mapping[str, Dimension], chosen: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return what a trial sets, by dotted option: what was chosen but for decisions, and what is otherwise.

    Args:
        space: dotted option or decision to its dimension.
        chosen: of those that exist, the values.
    """
    found = {path: value for path, value in chosen.items() if not is_decision(path)}
    for path, dimension in space.items():
        if path not in chosen and dimension.otherwise is not None and not holds(dimension, chosen):
            found[path] = dimension.otherwise
    return {path: found[path] for path in sorted(found)}


def assumed(space: Mapping[str, Dimension], path: str, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return values under which a searched option exists: what its conditions want first, and theirs in turn.

    Args:
        space: sound in its conditions.
        path: of the option.
        given: values that are settled, the kinds say.
    """
    found: dict[str, Scalar] = {}
    for other, wanted in space[path].conditions.items():
        value = given[other] if other in given else wanted[0]
        found |= {**assumed(space, other, given), other: value}
    return found


def inferred(space: Mapping[str, Dimension], settings: Mapping[str, Any]) -> dict[str, Scalar]:
    """Return for each decision the first choice that settings are consistent with; none where none is.

    Args:
        space: dotted option or decision to its dimension.
        settings: dotted option to value, resolved.
    """
    found: dict[str, Scalar] = {}
    for path in sorted(filter(is_decision, space)):
        consistent = [choice for choice in space[path].choices or [] if _agrees(space, path, choice, settings)]
        if consistent:
            found[path] = consistent[0]
    return found


def decision_faults(space: Mapping[str, Dimension], prefix: str) -> Iterator[Fault]:
    """Yield a fault for each decision that decides nothing, or is no choice; `prefix` is where the space stands."""
    wanted = {other for dimension in space.values() for other in dimension.when}
    for path in sorted(filter(is_decision, space)):
        if space[path].choices is None:
            yield Fault(f"{prefix}.{path}", "a decision needs choices", None, "List them.")
        elif path not in wanted:
            rule = "decides nothing: no option of the space exists only when it has some value"
            yield Fault(f"{prefix}.{path}", rule, None, f"Write when: {{{path}: ...}} at an option, or drop it.")


def _agrees(space: Mapping[str, Dimension], decision: str, choice: Scalar, settings: Mapping[str, Any]) -> bool:
    for path, dimension in space.items():
        if decision not in dimension.when or is_decision(path):
            continue
        if choice in dimension.conditions[decision]:
            if path not in settings or not dimension.contains(settings[path]):
                return False
        elif dimension.otherwise is not None and settings.get(path) != dimension.otherwise:
            return False
    return True
