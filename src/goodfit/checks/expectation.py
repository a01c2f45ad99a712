"""One rule about the table, as a suite states it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list")


@dataclass(frozen=True)
class Expectation:
    """One rule about the table: Great Expectations' name and arguments, and how grave a failure is.

    `implied` marks a rule that nobody wrote: it closes a hole of one that somebody did.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = "critical"
    notes: str = ""
    implied: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns the rule is about, none for a rule about the table."""
        named = [self.arguments[key] for key in COLUMN_ARGUMENTS if key in self.arguments]
        if self.name.startswith("expect_table_"):
            return ()
        return tuple(name for item in named for name in ([item] if isinstance(item, str) else item))
