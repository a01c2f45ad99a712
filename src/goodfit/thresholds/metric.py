"""The threshold with the best figure."""

from typing import Literal

import numpy as np

from goodfit.thresholds.base import THRESHOLDS, Choice, Counts, Floats, Threshold, best


@THRESHOLDS.register("metric")
class BestByMetric(Threshold):
    """The threshold with the best figure on valid rows.

    Options:
        metric: what is to be best.
    """

    def __init__(self, *, metric: Literal["f1", "balanced_accuracy", "accuracy", "mcc"] = "f1") -> None:
        self.metric = metric

    def choose(self, counts: Counts) -> Choice:
        """Return the threshold where the figure is largest."""
        figure = figures(counts, self.metric)
        index = best(figure, counts.thresholds)
        return Choice(index, float(figure[index]))


def figures(counts: Counts, metric: str) -> Floats:
    """Return a metric at every threshold, [t].

    The formulas stand here once more, and a test compares them with goodfit.metrics: if training imported the metrics,
    an edit of any of them would run the train stage.
    """
    tp, fp, fn, tn = counts.hits, counts.false_alarms, counts.misses, counts.correct_rejections
    if metric == "f1":
        return 2 * tp / np.maximum(2 * tp + fp + fn, 1)
    if metric == "accuracy":
        return (tp + tn) / np.maximum(tp + fp + fn + tn, 1)
    if metric == "mcc":
        spread = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        return np.where(spread > 0, (tp * tn - fp * fn) / np.maximum(spread, 1), 0.0)
    return (counts.recall + tn / np.maximum(tn + fp, 1)) / 2
