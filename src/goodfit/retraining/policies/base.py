"""When to retrain: what a policy is told, and what it answers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from goodfit.registry import Registry

DAY = 86_400.0
HOUR = 3600.0


@dataclass(frozen=True)
class Quality:
    """How the champion does on new rows.

    Args:
        metric: the first of `evaluate.metrics`.
        then: value, low and high on the test rows it was judged by.
        now: value, low and high on the new rows.
        worse: by how much the value is worse now, as a share of then.
        shown: whether the two intervals lie apart, on the bad side.
        rows: new rows with a target.
    """

    metric: str
    then: tuple[float, float, float]
    now: tuple[float, float, float]
    worse: float
    shown: bool
    rows: int


@dataclass(frozen=True)
class Situation:
    """What is known before the decision.

    Args:
        now: seconds since the epoch.
        changed: whether the table is another one than the latest version was trained from.
        new_rows: rows that were not there when the latest version was trained.
        champion_since: when the champion's version was made, in seconds since the epoch.
        drifted: columns of the new rows that have drifted; None where it could not be tested.
        quality: of the champion on the new rows; None where it could not be told.
        served: columns of the rows asked over HTTP that have drifted.
    """

    now: float
    changed: bool
    new_rows: int
    champion_since: float
    drifted: Sequence[str] | None = None
    quality: Quality | None = None
    served: Sequence[str] = ()


@dataclass(frozen=True)
class Verdict:
    """What a policy says.

    Args:
        retrain: yes or no.
        reason: in words.
        due: when the answer changes by itself, in seconds since the epoch; None for never.
    """

    retrain: bool
    reason: str
    due: float | None = None


class Policy(ABC):
    """One rule under `retrain.policy`."""

    @abstractmethod
    def decide(self, situation: Situation) -> Verdict:
        """Say whether to retrain, and why."""

    def expires(self, champion_since: float) -> float | None:
        """Return when the answer may change although no data have, in seconds since the epoch; None for never."""
        return None


POLICIES: Registry[Policy] = Registry("policy")


def days(seconds: float) -> str:
    """Return a time span in words."""
    return f"{seconds / DAY:.1f} days" if seconds >= 2 * DAY else f"{seconds / HOUR:.1f} hours"
