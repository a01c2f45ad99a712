"""Whenever the data have changed."""

from goodfit.retraining.policies.base import POLICIES, Policy, Situation, Verdict


@POLICIES.register("always")
class Always(Policy):
    """Retrain whenever the table has changed at all."""

    def decide(self, situation: Situation) -> Verdict:
        """Say yes to any change."""
        if situation.changed:
            return Verdict(True, f"the data have changed ({situation.new_rows:,} new rows), and the policy is always")
        return Verdict(False, "the data have not changed")
