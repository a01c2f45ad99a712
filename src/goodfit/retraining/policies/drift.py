"""When the new rows are of another kind."""

from typing import Annotated

from pydantic import Field

from goodfit.retraining.policies.base import POLICIES, Policy, Situation, Verdict

SHOWN = 5


@POLICIES.register("drift")
class Drift(Policy):
    """Retrain when the new rows have drifted away from what the champion was trained on, by `retrain.drift`.

    The champion's predictions count as one more column.

    Options:
        columns: drifted columns at least.
    """

    def __init__(self, *, columns: Annotated[int, Field(ge=1)] = 1) -> None:
        self.columns = columns

    def decide(self, situation: Situation) -> Verdict:
        """Count the drifted columns."""
        if situation.drifted is None:
            return Verdict(False, f"drift could not be tested on {situation.new_rows:,} new rows")
        count, names = len(situation.drifted), ", ".join(situation.drifted[:SHOWN])
        found = f"{count} columns have drifted{f' ({names})' if names else ''}"
        return Verdict(count >= self.columns, f"{found}, and {self.columns} are asked for")
