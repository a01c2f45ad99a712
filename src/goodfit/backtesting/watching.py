"""What a policy would have been told before each period: drift and quality of the rows that had come since a training.

The figures are those of `goodfit retrain`, with two differences that a replay cannot avoid: the quality of then is that
on the valid rows, for no test rows are held back, and of a long stretch MOST_ROWS rows are looked at.
"""

import numpy as np
from numpy.typing import NDArray
from pandas.api import types as kinds

from goodfit.backtesting.history import dealt, moments_of
from goodfit.backtesting.policies import Rule
from goodfit.bundle import Bundle
from goodfit.data import Table
from goodfit.retraining.deciding import Standing, decide
from goodfit.retraining.drift import find_drift
from goodfit.retraining.examining import Figures, apart_in, examined_columns, figures_on, quality_on
from goodfit.retraining.params import RetrainParams
from goodfit.retraining.policies import POLICIES, Quality, Situation
from goodfit.retraining.policies.base import DAY
from goodfit.retraining.profile import Profile, profile_of
from goodfit.retraining.reference import answered

MOST_ROWS = 20_000
ALWAYS_REPLAYED = ("drift", "quality")


class Watcher:
    """Looks at every later period with the eyes of one model after the other.

    Args:
        table: every row.
        period: [n] of each row.
        params: the project's.
        metric: that quality is told by.
    """

    def __init__(self, table: Table, period: NDArray[np.int64], params: RetrainParams, metric: str) -> None:
        self._table, self._period, self._params, self._metric = table, period, params, metric
        self._count = int(period.max()) + 1
        self._names = examined_columns(table)
        moments = moments_of(table)
        dates = kinds.is_datetime64_any_dtype(table.frame[table.schema.names("time")[0]].dtype)
        edges = np.linspace(moments.min(), moments.max(), self._count + 1)
        self._starts = edges / 1e6 if dates else np.arange(self._count + 1) * DAY

    def __call__(self, bundle: Bundle, made: int, past: NDArray[np.int64]) -> dict[int, Situation]:
        """Return later periods to what was known before them.

        Args:
            bundle: the model.
            made: it was trained before that period.
            past: the rows of before, by time.
        """
        train, valid = dealt(self._table, past)
        answers = answered(bundle, valid.frame)
        profile = profile_of(train, answers)
        then = figures_on(valid, bundle, self._metric, self._params.evaluate, self._params.seed)
        return {later: self._situation(bundle, made, later, profile, then) for later in range(made + 1, self._count)}

    def _situation(self, bundle: Bundle, made: int, later: int, profile: Profile, then: Figures | None) -> Situation:
        section, seed = self._params.retrain.drift, self._params.seed
        stretch = (self._period >= made) & (self._period < later)
        new = _thinned(self._table, stretch)
        apart = None
        if section.joint is not None and len(new) >= section.min_rows:
            known = self._table.take(self._period < later)
            apart = apart_in(known, self._period[self._period < later] >= made, self._names, profile, seed)
        drift = find_drift(profile, new.frame[self._names], answered(bundle, new.frame), section, apart)
        quality: Quality | None = None
        if then is not None:
            quality = quality_on(new, bundle, self._metric, then, self._params.evaluate, seed, section.min_rows)
        drifted = drift.drifted if drift.columns else None
        now, since = float(self._starts[later]), float(self._starts[made])
        return Situation(now, True, int(stretch.sum()), since, drifted, quality)


def rules_of(params: RetrainParams) -> dict[str, Rule]:
    """Return what is replayed beside the intervals: the project's own policy, and those that look at what comes in."""
    sections = {kind: POLICIES[kind].options() for kind in ALWAYS_REPLAYED}
    chosen = params.retrain.policy
    sections = {str(getattr(chosen, "kind", "")): chosen} | {k: s for k, s in sections.items() if k != chosen.kind}

    def rule(policy: object) -> Rule:
        section = params.retrain.model_copy(update={"policy": policy})

        def says(situation: Situation) -> bool:
            standing = Standing(1, 1, situation.champion_since)
            return decide(section, standing, situation).retrain

        return says

    return {f"by {kind}": rule(policy) for kind, policy in sections.items()}


def _thinned(table: Table, mask: NDArray[np.bool_]) -> Table:
    rows = np.flatnonzero(mask)
    kept = np.zeros(len(mask), dtype=bool)
    kept[rows[:: max(1, -(-len(rows) // MOST_ROWS))]] = True
    return table.take(kept)
