"""When the champion is old."""

from typing import Annotated

from pydantic import Field

from goodfit.retraining.policies.base import DAY, POLICIES, Policy, Situation, Verdict, days


@POLICIES.register("age")
class Age(Policy):
    """Retrain when the champion was trained long ago and the data have changed since.

    Options:
        days: age of the champion at least.
    """

    def __init__(self, *, days: Annotated[float, Field(gt=0)] = 30.0) -> None:
        self.days = days

    def expires(self, champion_since: float) -> float | None:
        """Return when the champion is old enough."""
        return champion_since + self.days * DAY

    def decide(self, situation: Situation) -> Verdict:
        """Compare the age with the bound."""
        due = situation.champion_since + self.days * DAY
        old = days(situation.now - situation.champion_since)
        age = f"the champion is {old} old, and {self.days:g} days are asked for"
        if situation.now < due:
            return Verdict(False, age, due)
        if not situation.changed:
            return Verdict(False, f"{age}; but the data have not changed since")
        return Verdict(True, age)
