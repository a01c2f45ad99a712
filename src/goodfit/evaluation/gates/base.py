"""The contract of a gate: one condition that a candidate must meet, and what was found."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from goodfit.errors import Fault
from goodfit.evaluation.estimates import Estimate
from goodfit.evaluation.result import Evaluation
from goodfit.registry import Registry

End = Literal["value", "low", "high"]


@dataclass(frozen=True)
class Evidence:
    """What gates judge.

    Args:
        evaluation: metrics, baselines and findings.
        cost: name to figure, such as latency_row_ms; see `goodfit.evaluation.cost`.
    """

    evaluation: Evaluation
    cost: Mapping[str, float]


@dataclass(frozen=True)
class Known:
    """What a gate may name; None where it is not known yet.

    Args:
        metrics: names of the metrics that will be computed.
        baselines: names of the baselines.
        inspections: names of the inspections that are switched on.
    """

    metrics: Sequence[str] | None
    baselines: Sequence[str]
    inspections: Sequence[str]


@dataclass(frozen=True)
class Outcome:
    """What a gate said.

    Args:
        kind: of the gate.
        asked: the condition, in words.
        found: what was found, in words.
        passed: whether the condition is met; what is undefined or not there does not meet it.
    """

    kind: str
    asked: str
    found: str
    passed: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return {"kind": self.kind, "asked": self.asked, "found": self.found, "passed": self.passed}


class Gate(ABC):
    """One condition under `evaluate.gates`; a candidate that fails one is not to be shipped."""

    @abstractmethod
    def judge(self, evidence: Evidence) -> Outcome:
        """Return whether the condition is met."""

    def faults(self, known: Known) -> Sequence[Fault]:
        """Return what the options name that is not there; a fault's place is an option."""
        return []


class BoundedGate(Gate):
    """A gate on one figure.

    Options:
        min: the figure must be at least this.
        max: the figure must be at most this.
    """

    def __init__(self, *, min: float | None = None, max: float | None = None) -> None:
        self.min, self.max = min, max

    @staticmethod
    def check_options(options: Any) -> Iterator[Fault]:
        """Yield a fault unless there is a bound that a figure can keep."""
        if options.min is None and options.max is None:
            yield Fault("min", "gives no bound", None, "Set min, max or both.")
        elif options.min is not None and options.max is not None and options.min > options.max:
            rule = f"lies above max, {options.max:g}: no figure passes"
            yield Fault("min", rule, options.min, "Swap them.")

    def within(self, value: float) -> bool:
        """Return whether a figure keeps the bounds; an undefined one does not."""
        below = self.min is not None and not value >= self.min
        above = self.max is not None and not value <= self.max
        return math.isfinite(value) and not below and not above

    @property
    def bounds(self) -> str:
        """Return the bounds in words."""
        low = f"at least {self.min:g}" if self.min is not None else ""
        high = f"at most {self.max:g}" if self.max is not None else ""
        return " and ".join(part for part in (low, high) if part)


def end_of(estimate: Estimate, end: End) -> float:
    """Return the value or an end of its interval."""
    return float(getattr(estimate, end))


def named(end: End) -> str:
    """Return the words for an end of an interval."""
    return {"value": "", "low": "lower end of ", "high": "upper end of "}[end]


def told(value: float) -> str:
    """Return a figure in words."""
    return f"{value:.4g}" if math.isfinite(value) else "undefined"


def unknown(option: str, name: str, known: Sequence[str], what: str, remedy: str) -> list[Fault]:
    """Return a fault if a name is not known."""
    return [] if name in known else [Fault(option, f"is no {what}", name, remedy)]


GATES: Registry[Gate] = Registry("gate")
