"""What a retrain came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["nothing_new", "not_due", "would_retrain", "kept", "promoted"]
SENTENCES: Mapping[Status, str] = {
    "nothing_new": "nothing new",
    "not_due": "not retrained",
    "would_retrain": "would retrain",
    "kept": "champion kept",
    "promoted": "promoted",
}


@dataclass(frozen=True)
class Outcome:
    """What a retrain came to.

    Args:
        status: in a word.
        reason: in words.
        champion: version that is champion now, None without one.
        version: version of the challenger, None where there was none.
        run: the MLflow run with the evidence, None where nothing was recorded.
        drift: what was found on the new rows.
        contest: the figures of champion against challenger.
        due: when the answer may be another one although nothing is new, in seconds since the epoch.
    """

    status: Status
    reason: str
    champion: int | None = None
    version: int | None = None
    run: str | None = None
    drift: Mapping[str, Any] = field(default_factory=dict)
    contest: Mapping[str, Any] = field(default_factory=dict)
    due: float | None = None

    @property
    def sentence(self) -> str:
        """Return it in one line."""
        champion = f" Champion: version {self.champion}." if self.champion is not None else " There is no champion."
        return f"{SENTENCES[self.status]}: {self.reason}.{champion}"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return {
            "status": self.status,
            "reason": self.reason,
            "champion": self.champion,
            "version": self.version,
            "run": self.run,
            "drift": dict(self.drift),
            "contest": dict(self.contest),
            "due": self.due,
        }
