"""When the new rows are of another kind."""

from typing import Annotated

from pydantic import Field

from goodfit.retraining.policies.base import POLICIES, Policy, Situation, Verdict

SHOWN = 5


@POLICIES.register("drift")
class Drift(Policy):
    """Retrain when the new rows have drifted away from what the champion was trained on, by `retrain.drift`.

    The champion's predictions count as one more column. Where no column has drifted by itself, how they hang together
    counts as one.

    Rows that `goodfit serve` has recorded count beside the new ones, as far as there are new ones to learn from.

    Options:
        columns: drifted columns at least.
    """

    def __init__(self, *, columns: Annotated[int, Field(ge=1)] = 1) -> None:
        self.columns = columns

    def decide(self, situation: Situation) -> Verdict:
        """Count the drifted columns."""
        if situation.drifted is None and not situation.served:
            return Verdict(False, f"drift could not be tested on {situation.new_rows:,} new rows")
        drifted = [*(situation.drifted or ()), *(f"{name} as served" for name in situation.served)]
        count, names = len(drifted), ", ".join(drifted[:SHOWN])
        found = f"{count} columns have drifted{f' ({names})' if names else ''}"
        words = f"{found}, and {self.columns} are asked for"
        if count >= self.columns and not situation.changed:
            return Verdict(False, f"{words}; but the data have not changed since, so there is nothing to learn")
        return Verdict(count >= self.columns, words)
