"""The figures of one split: every metric of the model and of its baselines, on the rows and on every resample."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.evaluation.bootstrap import Resampling, group_codes
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.estimates import Comparison, Estimate, compared
from goodfit.evaluation.targets import decided
from goodfit.metrics import METRICS
from goodfit.metrics.base import FloatArray

MODEL = "model"
UNDEFINED_SHARE = 0.01
"""An interval gets a note if more than this share of its resamples has no value."""

Figure = tuple[str, str]
"""Whose (the model's or a baseline's) and which metric."""


@dataclass(frozen=True)
class Answers:
    """What was true of n rows, and what was said.

    Args:
        target: class indices or values, [n].
        groups: group of each row [n], or None.
        said: whose to probabilities [n, k] or values [n].
        thresholds: whose to the probability from which on the second class is predicted; empty for regression.
    """

    target: NDArray[Any]
    groups: NDArray[Any] | None
    said: Mapping[str, NDArray[np.float64]]
    thresholds: Mapping[str, float]

    def needed(self, whose: str, metric: str) -> NDArray[Any]:
        """Return the predictions in the form that a metric needs."""
        if METRICS[metric].facts["needs"] == "classes":
            return decided(self.said[whose], self.thresholds[whose])
        return self.said[whose]


@dataclass(frozen=True)
class Judged:
    """One split's figures: the value of each, and its value on every resample."""

    resampling: Resampling
    values: Mapping[Figure, float]
    drawn: Mapping[Figure, FloatArray]

    def estimate(self, whose: str, metric: str) -> Estimate:
        """Return a value with its interval."""
        value = self.values[whose, metric]
        nothing = (np.nan, np.nan)
        return Estimate(value, *(nothing if np.isnan(value) else self.resampling.interval(self.drawn[whose, metric])))

    def against(self, baseline: str, metric: str) -> Comparison:
        """Return the model compared with a baseline, on the same resamples."""
        difference = self.values[MODEL, metric] - self.values[baseline, metric]
        replicates = self.drawn[MODEL, metric] - self.drawn[baseline, metric]
        return compared(difference, replicates, METRICS[metric].facts["direction"], self.resampling)

    def note(self, whose: str, metric: str) -> str | None:
        """Return what should be known about a figure, if anything."""
        if np.isnan(self.values[whose, metric]):
            return METRICS[metric].cls.undefined
        gaps, resamples = int(np.isnan(self.drawn[whose, metric]).sum()), self.resampling.resamples
        return f"has no value on {gaps} of {resamples} resamples" if gaps > UNDEFINED_SHARE * resamples else None


def judge(answers: Answers, metrics: tuple[str, ...], bootstrap: BootstrapSection, seed: tuple[int, ...]) -> Judged:
    """Compute every metric of every answer, on the rows and on every resample of them."""
    figures = {
        (whose, metric): METRICS[metric].cls().weighted(answers.target, answers.needed(whose, metric))
        for whose in answers.said
        for metric in metrics
    }
    rows, groups = len(answers.target), group_codes(answers.groups)
    resampling = Resampling(rows, bootstrap.resamples, bootstrap.level, seed, groups)
    values = {figure: float(weighted(np.ones((rows, 1)))[0]) for figure, weighted in figures.items()}
    return Judged(resampling, values, resampling.replicates(figures))
