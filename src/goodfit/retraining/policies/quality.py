"""When the champion has become worse."""

from typing import Annotated

from pydantic import Field

from goodfit.retraining.policies.base import POLICIES, Policy, Situation, Verdict


@POLICIES.register("quality")
class QualityPolicy(Policy):
    """Retrain when the champion does worse on the new rows than on the test rows it was judged by, and surely so.

    Surely: the interval of its first metric on the new rows lies apart from the interval of then. The new rows need
    their target.

    Options:
        worse: loss of quality at least, as a share of the figure of then.
    """

    def __init__(self, *, worse: Annotated[float, Field(ge=0)] = 0.05) -> None:
        self.worse = worse

    def decide(self, situation: Situation) -> Verdict:
        """Compare the loss with the bound."""
        quality = situation.quality
        if quality is None:
            return Verdict(False, f"quality could not be told from {situation.new_rows:,} new rows")
        figures = (
            f"{quality.metric} was {quality.then[0]:.4g}, and is {quality.now[0]:.4g} on {quality.rows:,} new rows"
        )
        if not quality.shown:
            return Verdict(False, f"{figures}: not surely worse")
        return Verdict(quality.worse >= self.worse, f"{figures}: {quality.worse:.1%} worse, {self.worse:.1%} asked for")
