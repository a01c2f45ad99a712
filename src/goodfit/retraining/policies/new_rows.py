"""When enough rows have come."""

from typing import Annotated

from pydantic import Field

from goodfit.retraining.policies.base import POLICIES, Policy, Situation, Verdict


@POLICIES.register("new_rows")
class NewRows(Policy):
    """Retrain when enough rows have come since the latest version was trained, whoever won.

    Options:
        rows: new rows at least; a corrected row is a new one.
    """

    def __init__(self, *, rows: Annotated[int, Field(ge=1)] = 1000) -> None:
        self.rows = rows

    def decide(self, situation: Situation) -> Verdict:
        """Compare the count with the bound."""
        count = f"{situation.new_rows:,} new rows, and {self.rows:,} are asked for"
        return Verdict(situation.new_rows >= self.rows, count)
