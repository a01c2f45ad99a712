"""The threshold that reaches a precision."""

from typing import Annotated

import numpy as np
from pydantic import Field

from goodfit.thresholds.base import THRESHOLDS, Choice, Counts, Threshold, best


@THRESHOLDS.register("precision")
class TargetPrecision(Threshold):
    """Of the thresholds with that precision on valid rows, the one with the highest recall.

    Where none reaches it, the one that comes nearest, and evaluation says so.

    Options:
        target: of the rows named positive, the share that is, at least.
    """

    def __init__(self, *, target: Annotated[float, Field(gt=0, le=1)]) -> None:
        self.target = target

    def choose(self, counts: Counts) -> Choice:
        """Return the threshold, and whether the target is reached."""
        reached = counts.precision >= self.target
        figure = np.where(reached, 1 + counts.recall, 0.0) if reached.any() else counts.precision
        index = best(figure, counts.thresholds)
        return Choice(index, float(counts.precision[index]), bool(reached.any()))
