"""What validation found, and what the gate makes of it."""

from dataclasses import dataclass
from typing import Any

from goodfit.checks.engine import Outcome


@dataclass(frozen=True)
class Verdict:
    """The outcome of every expectation on a table.

    Attributes:
        rows: rows of the raw table.
        outcomes: every expectation's, implied ones and the schema's own included, on all rows.
        standing: the critical failures that remain on the rows that stay; none means that the gate says yes.
        quarantined: positions of the rows set aside, ascending, and for each the reasons.
    """

    rows: int
    outcomes: tuple[Outcome, ...]
    standing: tuple[Outcome, ...]
    quarantined: tuple[tuple[int, str], ...] = ()

    @property
    def success(self) -> bool:
        """Whether the graph may go on."""
        return not self.standing

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Every expectation that failed, whatever its severity."""
        return tuple(outcome for outcome in self.outcomes if not outcome.success)

    def to_dict(self) -> dict[str, Any]:
        """Return reports/validation.json of the contract."""
        return {
            "success": self.success,
            "rows": self.rows,
            "quarantined": len(self.quarantined),
            "evaluated": len(self.outcomes),
            "failed": [_failure(outcome) for outcome in self.failed],
        }


def sentence(outcome: Outcome) -> str:
    """Return one line that says what failed, where, and what was seen."""
    where = ", ".join(outcome.expectation.columns)
    count = "" if outcome.unexpected is None else f" in {outcome.unexpected:,} rows"
    seen = "" if outcome.observed is None else f": {outcome.observed}"
    return f"{outcome.expectation.name}{f'({where})' if where else ''} failed{count}{seen}"


def _failure(outcome: Outcome) -> dict[str, Any]:
    return {
        "expectation": outcome.expectation.name,
        "column": ", ".join(outcome.expectation.columns) or None,
        "severity": outcome.expectation.severity,
        "observed": outcome.observed,
        "unexpected_count": outcome.unexpected,
    }
