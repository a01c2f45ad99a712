"""Run the leak checks that the `split.leakage` section asks for, and stop at those that must hold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from goodfit.errors import Fault, GateError
from goodfit.splits.base import Split
from goodfit.splits.leakage.columns import constants, ids_in_disguise
from goodfit.splits.leakage.rows import missing_classes, overlap_in_time, torn_copies, torn_groups, torn_ids
from goodfit.splits.leakage.target import target_copies
from goodfit.splits.leakage_section import Action
from goodfit.splits.parts import Parts

CHECKS: dict[str, Callable[[Parts], str]] = {
    "duplicates": torn_copies,
    "ids": torn_ids,
    "groups": torn_groups,
    "time": overlap_in_time,
    "target_copy": target_copies,
    "id_like": ids_in_disguise,
    "missing_class": missing_classes,
    "constant": constants,
}
"""Each check by its option's name: it returns what it found, or nothing when all is well."""


@dataclass(frozen=True)
class Check:
    """What one leak check found; `passed` is None where it was switched off."""

    name: str
    passed: bool | None
    detail: str
    action: Action

    @property
    def stops(self) -> bool:
        """Whether the graph must end here."""
        return self.passed is False and self.action == "stop"

    @property
    def warns(self) -> bool:
        """Whether it failed and the graph goes on."""
        return self.passed is False and self.action == "warn"

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of reports/split.json."""
        return {"name": self.name, "passed": self.passed, "detail": self.detail, "action": self.action}


def find_leaks(parts: Parts, split: Split) -> list[Check]:
    """Run every leak check that is not off, each by itself."""
    return [_run(name, check, parts, _action(name, split)) for name, check in CHECKS.items()]


def refuse_leaks(checks: list[Check]) -> None:
    """Stop the graph when a check that must hold has failed.

    Raises:
        GateError: one fault for each.
    """
    faults = [
        Fault(f"leak check '{check.name}'", check.detail, None, _way_out(check.name)) for check in checks if check.stops
    ]
    if faults:
        raise GateError(faults)


def _run(name: str, check: Callable[[Parts], str], parts: Parts, action: Action) -> Check:
    if action == "off":
        return Check(name, None, f"split.leakage.{name} is off", action)
    found = check(parts)
    return Check(name, not found, found, action)


def _action(name: str, split: Split) -> Action:
    action: Action = getattr(split.leakage, name)
    allowed = name == "duplicates" and split.duplicates == "allow" and action == "stop"
    return "warn" if allowed else action


_WAYS_OUT = {
    "duplicates": "Use a kind of split that keeps copies together, or set split.duplicates: allow",
    "ids": "Take the repeated rows out, or make the id schema.group and split by group",
    "groups": "Set split.kind: group",
    "time": "Set split.kind: time",
    "target_copy": "List what copies the target under schema.ignore",
    "id_like": "List it under schema.id or schema.ignore",
    "missing_class": "Set split.kind: stratified, merge or drop the class, or deliver more of its rows",
    "constant": "List it under schema.ignore",
}


def _way_out(name: str) -> str:
    return f"{_WAYS_OUT[name]}; if it is meant to be so, set split.leakage.{name}: warn."
