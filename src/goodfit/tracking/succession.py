"""Who is champion: decisions in one order, each taken against the one before it, and the aliases that follow them.

A decision is a write-once note under the next number, so of all that were taken against the same predecessor exactly
one stands, and the others are told. It is the intent record of the two alias writes that follow: whoever finds a
decision that is not marked as done, the next retrain say, writes the aliases (again). A writer that was held up for
long may write what was right before; so every writer looks at the decisions again after writing, and writes again if
there is a newer one.
"""

import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from goodfit.errors import shorten
from goodfit.stage import failpoint
from goodfit.tracking.redaction import redact
from goodfit.tracking.store import Vanished
from goodfit.tracking.versions import CHALLENGER, CHAMPION, PREVIOUS, Versions
from goodfit.tracking.write_once import Notes

Kind = Literal["promotion", "rollback", "by hand"]
DECISION, DONE = "decision", "decision_done"
LONGEST_REASON = 2000
SECOND_LOOK = 1.0
"""Seconds after which an alias that contradicts the decisions is looked at again: a writer may have been held up."""


@dataclass(frozen=True)
class Decision:
    """One change of champion.

    Args:
        number: from 1, without gaps.
        kind: a retrain promoted it, a person rolled back or chose, or someone moved the alias by hand.
        version: the new champion.
        previous: the champion before it, None for the first.
        reason: in words.
        run: the MLflow run that has the evidence, if any.
        at: when, by the clock of the machine that decided; for people, nothing depends on it.
        nonce: tells two decisions with equal words apart.
    """

    number: int
    kind: Kind
    version: int
    previous: int | None
    reason: str
    run: str | None
    at: str
    nonce: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what is shown of it."""
        names = ("number", "kind", "version", "previous", "reason", "run", "at")
        return {name: getattr(self, name) for name in names}


class Succession:
    """The decisions about one registered model.

    Args:
        notes: where they are written.
        versions: whose aliases follow them.
    """

    def __init__(self, notes: Notes, versions: Versions) -> None:
        self._notes, self._versions = notes, versions

    def history(self) -> list[Decision]:
        """Return every decision, the first first."""
        return [_decision(number, note) for number, note in self._notes.read(DECISION).items()]

    def head(self) -> Decision | None:
        """Return the decision that stands, None before the first."""
        return next(reversed(self.history()), None)

    def decide(
        self, base: Decision | None, kind: Kind, version: int, reason: str, run: str | None = None
    ) -> Decision | None:
        """Make a version champion, if `base` is still the decision that stands; None when another one came first.

        The version must have been verified: from here on the aliases follow, whoever writes them.
        """
        number = (base.number if base else 0) + 1
        note = {
            "kind": kind,
            "version": version,
            "previous": base.version if base else None,
            "reason": redact(shorten(reason, LONGEST_REASON)).strip("'"),
            "run": run,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        if not self._notes.write(DECISION, number, note):
            return None
        failpoint("promote.decided")  # K29: the decision stands, no alias is written
        self.settle()
        return next(decision for decision in self.history() if decision.number == number)

    def open(self, decision: Decision) -> bool:
        """Tell whether nobody has noted that the aliases follow a decision."""
        return decision.number not in self._notes.read(DONE)

    def settle(self, *, again: bool = False) -> Decision | None:
        """Let the aliases follow the decision that stands, and mark it as done; return it.

        Any process may do it, any number of times.

        Args:
            again: write them even if they were written before.
        """
        head, wrote = self.head(), again
        while head is not None:
            if not wrote and not self.open(head):
                break
            self._follow(head)
            wrote, latest = True, self.head()
            if latest == head:
                failpoint("promote.pointed")  # K31: the aliases are right, nobody has noted it
                self._notes.write(DONE, head.number, {})
                break
            head = latest
        return head

    def champion(self) -> Decision | None:
        """Return the decision whose version is champion now; None when there is none. Only within a turn.

        Settles what was left open first. An alias that someone has moved by hand since is taken for what it is, a
        decision, and written down as one; one that was removed while its version is there is put back.
        """
        head = self.settle()
        alias = self._versions.aliases().get(CHAMPION)
        if alias != (head.version if head else None):
            time.sleep(SECOND_LOOK)
            head, alias = self.settle(), self._versions.aliases().get(CHAMPION)
        if head is not None and (alias == head.version or (alias is None and self._follow(head))):
            return head
        if alias is None:
            return None
        reason = f"the alias {CHAMPION} was moved to version {alias} by hand"
        return self.decide(head, "by hand", alias, reason) or self.settle()

    def _follow(self, decision: Decision) -> bool:
        """Write the aliases of a decision; False if its version is no longer there."""
        if self._versions.get(decision.version) is None:
            return False
        with contextlib.suppress(Vanished):  # the version before it, or its alias, was deleted
            if decision.previous is None:
                self._versions.unpoint(PREVIOUS)
            else:
                self._versions.point(PREVIOUS, decision.previous)
        failpoint("promote.between")  # K30: one alias is written, the other is not
        self._versions.point(CHAMPION, decision.version)
        if self._versions.aliases().get(CHALLENGER) == decision.version:
            with contextlib.suppress(Vanished):
                self._versions.unpoint(CHALLENGER)
        return True


def _decision(number: int, note: dict[str, Any]) -> Decision:
    kinds: tuple[Kind, ...] = get_args(Kind)
    kind = next(kind for kind in kinds if kind == note["kind"])
    names = ("version", "previous", "reason", "run", "at", "nonce")
    return Decision(number, kind, *(note[name] for name in names))
