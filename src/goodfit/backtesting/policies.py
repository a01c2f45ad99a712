"""What each policy would have come to, computed from the scores alone: no policy needs a training of its own."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from goodfit.backtesting.history import Floats, Lived
from goodfit.errors import DataError, Fault
from goodfit.retraining.policies import Situation

Rule = Callable[[Situation], bool]
"""Says whether to retrain."""


@dataclass(frozen=True)
class Policy:
    """Retraining every so many periods, or when a rule says so.

    Args:
        every: periods between two trainings; None for never again after the first, and for a rule.
        quality: mean of the metric over the periods, each weighted by its rows.
        loss: by how much that is worse than retraining every period; 0 for that one.
        retrains: trainings after the first.
        seconds: that all trainings took.
        scores: of each period, None where undefined.
        rule: name of the rule, "" for an interval.
        trained: the periods before which a model was trained.
    """

    every: int | None
    quality: float
    loss: float
    retrains: int
    seconds: float
    scores: tuple[float | None, ...]
    rule: str = ""
    trained: tuple[int, ...] = ()

    @property
    def words(self) -> str:
        """Return when it retrains."""
        if self.rule:
            return self.rule
        return "never" if self.every is None else "every period" if self.every == 1 else f"every {self.every} periods"


@dataclass(frozen=True)
class Advice:
    """The whole answer.

    Args:
        lived: what was found.
        staleness: by age in periods: mean loss against a fresh model on the same period.
        pairs: by age: how many periods that mean is over.
        policies: the most frequent first.
        rules: those that look at what comes in.
        recommended: the longest interval, in periods, whose loss is within the tolerance; None for never again.
        tolerance: the loss that is taken, as a share of the best policy's quality.
    """

    lived: Lived
    staleness: tuple[float, ...]
    pairs: tuple[int, ...]
    policies: tuple[Policy, ...]
    recommended: int | None
    tolerance: float
    rules: tuple[Policy, ...] = ()

    @property
    def sentence(self) -> str:
        """Return the recommendation in words."""
        chosen = next(policy for policy in self.policies if policy.every == self.recommended)
        how = "once" if chosen.every is None else chosen.words
        return (
            f"train {how}: {self.lived.metric} {chosen.quality:.4g}, {chosen.loss:.2g} worse than retraining every"
            f" period, with {chosen.retrains} retrains instead of {self.policies[0].retrains}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return {
            "metric": self.lived.metric,
            "periods": [{"start": s, "rows": n} for s, n in zip(self.lived.starts, self.lived.rows, strict=True)],
            "first_scored": self.lived.first,
            "staleness": [None if np.isnan(value) else value for value in self.staleness],
            "pairs": list(self.pairs),
            "policies": [asdict(policy) for policy in self.policies],
            "rules": [asdict(policy) for policy in self.rules],
            "recommended": self.recommended,
            "tolerance": self.tolerance,
        }


def advise(lived: Lived, tolerance: float, rules: Mapping[str, Rule] | None = None) -> Advice:
    """Replay every interval and name the longest one whose loss is small enough.

    Args:
        lived: the scores.
        tolerance: the loss that is taken, as a share of the quality of retraining every period.
        rules: name to what says whether to retrain; they are replayed beside the intervals.

    Raises:
        DataError: there is no period whose score is defined.
    """
    span = len(lived.rows) - lived.first
    intervals: list[int | None] = [*range(1, span), None]
    sign = 1 if lived.maximize else -1
    best = _replayed(lived, _by_interval(lived, 1), 1, None)
    if not np.isfinite(best.quality):
        rule = f"{lived.metric} is defined in no period: too few rows, or a single class in each"
        raise DataError([Fault("backtest", rule, None, "Take fewer periods: --periods.")])
    replayed = (_replayed(lived, _by_interval(lived, every), every, best) for every in intervals)
    policies = tuple(replayed) if span > 1 else (best,)
    ruled = tuple(_replayed(lived, _by_rule(lived, rule), None, best, name) for name, rule in (rules or {}).items())
    allowed = [policy.every for policy in policies if policy.loss <= tolerance * abs(best.quality)]
    longest = max(allowed, key=lambda every: span if every is None else every)
    losses: list[list[float]] = [[] for _ in range(span)]
    for made in range(lived.first, len(lived.rows)):
        for period in range(made, len(lived.rows)):
            gap = sign * (lived.scores[period, period] - lived.scores[made, period])
            if not np.isnan(gap):
                losses[period - made].append(float(gap))
    staleness = tuple(float(np.mean(found)) if found else float("nan") for found in losses)
    return Advice(lived, staleness, tuple(map(len, losses)), policies, longest, tolerance, ruled)


def _by_interval(lived: Lived, every: int | None) -> list[int]:
    """Return for each period that is scored before which one its model was trained."""
    periods = range(lived.first, len(lived.rows))
    return [lived.first if every is None else p - (p - lived.first) % every for p in periods]


def _by_rule(lived: Lived, rule: Rule) -> list[int]:
    """Return the same for a rule that is asked before each period; what it has trained becomes champion."""
    made = [lived.first]
    for period in range(lived.first + 1, len(lived.rows)):
        situation = lived.situations.get((made[-1], period))
        made.append(period if situation is not None and rule(situation) else made[-1])
    return made


def _replayed(lived: Lived, made: list[int], every: int | None, best: Policy | None, rule: str = "") -> Policy:
    periods = range(lived.first, len(lived.rows))
    scores: Floats = np.array([lived.scores[m, p] for m, p in zip(made, periods, strict=True)])
    weights = np.array([lived.rows[p] for p in periods], dtype=np.float64)
    there = ~np.isnan(scores)
    quality = float(np.average(scores[there], weights=weights[there])) if there.any() else float("nan")
    sign = 1 if lived.maximize else -1
    loss = sign * (best.quality - quality) if best is not None and every != 1 else 0.0
    trained = sorted(set(made))
    shown = tuple(float(score) if ok else None for score, ok in zip(scores, there, strict=True))
    seconds = float(lived.seconds[trained].sum())
    return Policy(every, quality, loss, len(trained) - 1, seconds, shown, rule, tuple(trained))
