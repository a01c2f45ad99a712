"""What is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["failure", "drift", "promotion", "stale"]


@dataclass(frozen=True)
class Alert:
    """One thing that people should know.

    Args:
        kind: what it is about.
        model: the registered model's name.
        text: a sentence or two.
        facts: JSON-able, for programs.
    """

    kind: Kind
    model: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """Return it in a line."""
        return f"goodfit: {self.kind}: model '{self.model}'"
