"""The figures of one split: every metric of the model and of its baselines, on the rows and on every resample."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.evaluation.bootstrap import Resampling, group_codes
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.estimates import Comparison, Estimate, compared
from goodfit.evaluation.intervals import Sample, share_interval
from goodfit.evaluation.stretches import Stretches
from goodfit.evaluation.targets import decided
from goodfit.metrics import METRICS

MODEL = "model"
UNDEFINED_SHARE = 0.01
"""An interval gets a note if more than this share of its resamples has no value."""
FEW_UNITS = 20
"""An interval from fewer independent units is too narrow, and gets a note."""

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
        stretches: the rows' order in time where the split was by time, or None.
    """

    target: NDArray[Any]
    groups: NDArray[Any] | None
    said: Mapping[str, NDArray[np.float64]]
    thresholds: Mapping[str, float]
    stretches: Stretches | None = None

    def needed(self, whose: str, metric: str) -> NDArray[Any]:
        """Return the predictions in the form that a metric needs."""
        if METRICS[metric].facts["needs"] == "classes":
            return decided(self.said[whose], self.thresholds[whose])
        return self.said[whose]


@dataclass(frozen=True)
class Judged:
    """One split's figures: the sample of each, and (hits, trials) of those that are shares of independent rows."""

    resampling: Resampling
    samples: Mapping[Figure, Sample]
    shares: Mapping[Figure, tuple[float, float]]

    @property
    def values(self) -> Mapping[Figure, float]:
        """The value of every figure on the rows."""
        return {figure: sample.value for figure, sample in self.samples.items()}

    def estimate(self, whose: str, metric: str) -> Estimate:
        """Return a value with its interval: exact for a share of independent rows, else bootstrap."""
        figure = whose, metric
        if figure in self.shares:
            return Estimate(self.samples[figure].value, *share_interval(*self.shares[figure], self.resampling.level))
        return Estimate(self.samples[figure].value, *self.resampling.bounds(self.samples[figure]))

    def against(self, baseline: str, metric: str) -> Comparison:
        """Return the model compared with a baseline, on the same resamples."""
        difference = self.samples[MODEL, metric] - self.samples[baseline, metric]
        return compared(difference, METRICS[metric].facts["direction"], self.resampling)

    def note(self, whose: str, metric: str) -> str | None:
        """Return what should be known about a figure, if anything."""
        sample = self.samples[whose, metric]
        if np.isnan(sample.value):
            return METRICS[metric].cls.undefined
        if self.resampling.units < min(FEW_UNITS, self.resampling.rows):
            return f"rests on {self.resampling.units} independent groups or stretches: its interval is too narrow"
        gaps, resamples = int(np.isnan(sample.replicates).sum()), self.resampling.resamples
        return f"has no value on {gaps} of {resamples} resamples" if gaps > UNDEFINED_SHARE * resamples else None


def judge(answers: Answers, metrics: tuple[str, ...], bootstrap: BootstrapSection, seed: tuple[int, ...]) -> Judged:
    """Compute every metric of every answer, on the rows and on every resample of them."""
    asked = {
        (whose, name): (METRICS[name].cls(), answers.needed(whose, name)) for whose in answers.said for name in metrics
    }
    figures = {figure: metric.weighted(answers.target, said) for figure, (metric, said) in asked.items()}
    groups = group_codes(answers.groups)
    how = Resampling(len(answers.target), bootstrap.resamples, bootstrap.level, seed, groups, answers.stretches)
    shares = {figure: metric.share(answers.target, said) for figure, (metric, said) in asked.items()}
    alone = groups is None and answers.stretches is None
    exact = {figure: share for figure, share in shares.items() if share is not None and alone}
    return Judged(how, how.samples(figures), exact)
