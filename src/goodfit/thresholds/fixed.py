"""A threshold that is given."""

from typing import Annotated

from pydantic import Field

from goodfit.thresholds.base import THRESHOLDS, Choice, Counts, Threshold


@THRESHOLDS.register("fixed")
class Fixed(Threshold):
    """The probability that is given.

    Options:
        value: probability of the second class from which on it is predicted.
    """

    def __init__(self, *, value: Annotated[float, Field(ge=0, le=1)] = 0.5) -> None:
        self.value = value

    def choose(self, counts: Counts) -> Choice | float:
        """Return the value."""
        return self.value
