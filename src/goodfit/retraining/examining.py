"""What the new data say about the champion: how many rows are new, have they drifted, does it do worse on them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.bundle import Bundle
from goodfit.data import Table
from goodfit.errors import GoodfitError
from goodfit.evaluation import EvaluateSection, chosen_metrics
from goodfit.evaluation.judging import MODEL, Answers, judge
from goodfit.evaluation.targets import groups_of, predicted, target_values
from goodfit.metrics import METRICS
from goodfit.retraining.drift import Drift, find_drift
from goodfit.retraining.drift_section import DriftSection
from goodfit.retraining.joint import Apart, tell_apart
from goodfit.retraining.policies import Quality
from goodfit.retraining.profile import PREDICTION, Profile
from goodfit.retraining.reference import Reference, answered

FEATURES_AND_TARGET = ("feature", "target")
Figures = tuple[float, float, float]
"""Value, low and high of a metric."""


@dataclass(frozen=True)
class Examined:
    """What was found on the rows that the champion does not know."""

    drift: Drift
    quality: Quality | None


def examine(
    table: Table,
    identity: list[str],
    reference: Reference,
    champion: Bundle,
    drift: DriftSection,
    evaluate: EvaluateSection,
    seed: int,
) -> Examined:
    """Compare the rows that were not there when the champion was trained with those that were.

    Args:
        table: every row there is now.
        identity: columns whose values make a row.
        reference: what was kept with the champion.
        champion: the model.
        drift: when a change matters.
        evaluate: the metrics and the bootstrap.
        seed: of the resamples.
    """
    is_new = reference.known.new(table, identity)
    new = table.take(is_new)
    names = examined_columns(table)
    answers = answered(champion, new.frame) if len(new) else None
    asked = drift.joint is not None and len(new) >= drift.min_rows
    apart = apart_in(table, is_new, names, reference.profile, seed) if asked else None
    found = find_drift(reference.profile, new.frame[names], answers, drift, apart)
    return Examined(found, _quality(new, champion, reference, evaluate, seed, drift.min_rows))


def examine_served(rows: pd.DataFrame, reference: Reference, champion: Bundle, drift: DriftSection) -> Drift:
    """Compare rows that were asked over HTTP, and what the champion says of them, with those it was trained on.

    How columns hang together is not asked: the same row may have been asked many times.
    """
    answers = answered(champion, rows) if len(rows) else None
    asked = {name: c for name, c in reference.profile.columns.items() if name == PREDICTION or name in rows}
    return find_drift(Profile(reference.profile.rows, asked), rows, answers, drift)


def apart_in(table: Table, is_new: NDArray[np.bool_], names: list[str], profile: Profile, seed: int) -> Apart | None:
    """Return how well new rows of a table are told from the others; of a group one row is looked at.

    Args:
        table: both.
        is_new: [n] which are new.
        names: columns that may tell.
        profile: says what kind each is.
        seed: of the draws.
    """
    frame, group = table.frame, next(iter(table.schema.names("group")), None)
    if group is not None:
        order = np.random.default_rng((seed, 7)).permutation(len(frame))
        alone = np.zeros(len(frame), dtype=bool)
        alone[order[~frame[group].iloc[order].duplicated().to_numpy()]] = True
        frame, is_new = frame[alone], is_new[alone]
    kinds = {name: profile.columns[name].kind for name in names if name in profile.columns}
    return tell_apart(frame[~is_new], frame[is_new], kinds, seed)


def examined_columns(table: Table) -> list[str]:
    """Return the columns whose drift is looked for; dates move on by themselves."""
    return [c.name for c in table.schema.columns if c.role in FEATURES_AND_TARGET and c.type != "datetime"]


def _quality(
    new: Table, champion: Bundle, reference: Reference, evaluate: EvaluateSection, seed: int, least: int
) -> Quality | None:
    metric = next(iter(chosen_metrics(evaluate, champion.schema.task)), "")
    then = reference.scores.get(metric)
    return None if then is None else quality_on(new, champion, metric, then, evaluate, seed, least)


def quality_on(
    new: Table, champion: Bundle, metric: str, then: Figures, evaluate: EvaluateSection, seed: int, least: int
) -> Quality | None:
    """Return how a model does on new rows with a target; None where they are fewer than `least`, or it cannot answer.

    Args:
        new: rows.
        champion: the model.
        metric: by name.
        then: value, low and high on rows of then.
        evaluate: the bootstrap.
        seed: of the resamples.
        least: fewest rows.
    """
    labelled = new.take(new.frame[new.schema.target.name].notna().to_numpy(dtype=bool))
    now = figures_on(labelled, champion, metric, evaluate, seed) if len(labelled) >= least else None
    if now is None:
        return None
    minimize = METRICS[metric].facts["direction"] == "minimize"
    loss = now[0] - then[0] if minimize else then[0] - now[0]
    shown = now[1] > then[2] if minimize else now[2] < then[1]
    return Quality(metric, then, now, loss / max(abs(then[0]), 1e-12), shown, len(labelled))


def figures_on(rows: Table, champion: Bundle, metric: str, evaluate: EvaluateSection, seed: int) -> Figures | None:
    """Return value, low and high of a metric; None where it is undefined or the model cannot answer."""
    try:
        target, said = target_values(champion, rows), predicted(champion, rows, "new")
    except GoodfitError:
        return None
    answers = Answers(target, groups_of(rows), {MODEL: said}, {MODEL: champion.threshold})
    estimate = judge(answers, (metric,), evaluate.bootstrap, (seed, 3)).estimate(MODEL, metric)
    found = (estimate.value, estimate.low, estimate.high)
    return found if np.isfinite(found).all() else None


def new_rows(table: Table, identity: list[str], reference: Reference) -> int:
    """Return how many rows were not there when a version was trained."""
    return int(pd.Series(reference.known.new(table, identity)).sum())
