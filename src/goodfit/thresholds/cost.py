"""The threshold with the lowest cost."""

from typing import Any

import numpy as np

from goodfit.errors import Fault
from goodfit.thresholds.base import THRESHOLDS, Choice, Counts, Threshold, best


@THRESHOLDS.register("cost")
class LowestCost(Threshold):
    """The threshold with the lowest mean cost on valid rows; negative costs are gains.

    Options:
        false_positive: cost of a row of the first class that is taken for the second.
        false_negative: cost of a row of the second class that is taken for the first.
        true_positive: cost of a row of the second class that is found.
        true_negative: cost of a row of the first class that is left alone.
    """

    def __init__(
        self,
        *,
        false_positive: float = 1.0,
        false_negative: float = 1.0,
        true_positive: float = 0.0,
        true_negative: float = 0.0,
    ) -> None:
        self.costs = (true_positive, false_positive, false_negative, true_negative)

    @staticmethod
    def check_options(options: Any) -> list[Fault]:
        """Return a fault unless mistakes cost more than right answers."""
        if options.false_positive > options.true_negative and options.false_negative > options.true_positive:
            return []
        rule = "a mistake must cost more than the right answer it stands in for"
        remedy = "Set false_positive above true_negative, and false_negative above true_positive."
        return [Fault("false_positive", rule, options.false_positive, remedy)]

    def choose(self, counts: Counts) -> Choice:
        """Return the threshold where the mean cost is lowest."""
        cells = counts.hits, counts.false_alarms, counts.misses, counts.correct_rejections
        mean = np.tensordot(self.costs, cells, axes=1) / max(1.0, float(sum(cell[0] for cell in cells)))
        index = best(-mean, counts.thresholds)
        return Choice(index, float(mean[index]))
