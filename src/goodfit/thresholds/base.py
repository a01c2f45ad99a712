"""The contract of a rule for the decision threshold, and the choice among all thresholds that differ."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.bundle import ThresholdRule
from goodfit.registry import Registry, Section

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """The confusion of every threshold that makes a difference, [t] each; `thresholds` rise."""

    thresholds: Floats
    hits: Floats
    false_alarms: Floats
    misses: Floats
    correct_rejections: Floats

    @property
    def precision(self) -> Floats:
        """Share of the rows named positive that are positive; 0 where none is named."""
        return self.hits / np.maximum(self.hits + self.false_alarms, 1)

    @property
    def recall(self) -> Floats:
        """Share of the positive rows that are named; 0 where there is none."""
        return self.hits / np.maximum(self.hits + self.misses, 1)


@dataclass(frozen=True)
class Choice:
    """What a rule chose: one of `Counts`, its figure on these rows, and whether what was asked for can be had."""

    index: int
    value: float
    reached: bool = True


class Threshold(ABC):
    """One rule that chooses the probability of the second class from which on it is predicted."""

    @abstractmethod
    def choose(self, counts: Counts) -> Choice | float:
        """Return the choice among the thresholds that differ on valid rows, or a threshold that needs no rows."""


THRESHOLDS: Registry[Threshold] = Registry("threshold")


def rule_of(options: Section, positive: NDArray[np.bool_], score: Floats) -> tuple[ThresholdRule, float]:
    """Apply a rule to valid rows; return what was found, for the bundle, and the threshold.

    Args:
        options: of a registered rule.
        positive: whether each row [n] has the second class.
        score: its probability, [n].
    """
    counts = counted(positive, score)
    choice = THRESHOLDS.build(options).choose(counts)
    settings: dict[str, Any] = options.model_dump()
    kind, rows = settings.pop("kind"), len(score)
    if not isinstance(choice, Choice):
        return ThresholdRule(kind, settings, None, True, rows), choice
    threshold = float(counts.thresholds[choice.index])
    return ThresholdRule(kind, settings, choice.value, choice.reached, rows), threshold


def threshold_by(rule: ThresholdRule, positive: NDArray[np.bool_], score: Floats) -> float:
    """Return the threshold that a model's rule chooses for another one's scores, on rows [n] of the same kind."""
    return rule_of(THRESHOLDS[rule.kind].options(**rule.options), positive, score)[1]


def counted(positive: NDArray[np.bool_], score: Floats) -> Counts:
    """Return the confusion at every threshold between two different scores, and at 0 and 1.

    Thresholds lie midway, as far as possible from the rows they part. At 1 no row is positive but those that score 1.
    """
    values, position = np.unique(score, return_inverse=True)
    hits = np.bincount(position, positive, len(values)).astype(np.float64)
    rows = np.bincount(position, minlength=len(values)).astype(np.float64)
    middles = (values[1:] + values[:-1]) / 2
    thresholds = np.concatenate([[0.0], middles, [1.0] if not len(values) or values[-1] < 1 else []])
    above = np.searchsorted(thresholds, values, side="right") - 1  # the highest threshold that a value passes
    found = _from_above(np.bincount(above, hits, len(thresholds)))
    named = _from_above(np.bincount(above, rows, len(thresholds)))
    misses = positive.sum() - found
    return Counts(thresholds, found, named - found, misses, len(score) - named - misses)


def best(figure: Floats, thresholds: Floats) -> int:
    """Return the index of the largest figure; among equals, of the threshold nearest to one half."""
    ties = np.flatnonzero(figure >= figure.max() - 1e-12)
    return int(ties[np.argmin(np.abs(thresholds[ties] - 0.5))])


def _from_above(counts: NDArray[Any]) -> Floats:
    return np.asarray(np.cumsum(counts[::-1])[::-1], dtype=np.float64)
