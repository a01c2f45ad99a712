"""The threshold that reaches a recall."""

from typing import Annotated

import numpy as np
from pydantic import Field

from goodfit.thresholds.base import THRESHOLDS, Choice, Counts, Threshold, best


@THRESHOLDS.register("recall")
class TargetRecall(Threshold):
    """Of the thresholds with that recall on valid rows, the one with the highest precision.

    Where none reaches it, the one that comes nearest, and evaluation says so.

    Options:
        target: of the positive rows, the share that is found, at least.
    """

    def __init__(self, *, target: Annotated[float, Field(gt=0, le=1)]) -> None:
        self.target = target

    def choose(self, counts: Counts) -> Choice:
        """Return the threshold, and whether the target is reached."""
        reached = counts.recall >= self.target
        figure = np.where(reached, 1 + counts.precision, 0.0) if reached.any() else counts.recall
        index = best(figure, counts.thresholds)
        return Choice(index, float(counts.recall[index]), bool(reached.any()))
