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
    names = [c.name for c in table.schema.columns if c.role in FEATURES_AND_TARGET and c.type != "datetime"]
    answers = answered(champion, new.frame) if len(new) else None
    apart = (
        _apart(table, is_new, names, reference, seed)
        if drift.joint is not None and len(new) >= drift.min_rows
        else None
    )
    found = find_drift(reference.profile, new.frame[names], answers, drift, apart)
    return Examined(found, _quality(new, champion, reference, evaluate, seed, drift.min_rows))


def examine_served(rows: pd.DataFrame, reference: Reference, champion: Bundle, drift: DriftSection) -> Drift:
    """Compare rows that were asked over HTTP, and what the champion says of them, with those it was trained on.

    How columns hang together is not asked: the same row may have been asked many times.
    """
    answers = answered(champion, rows) if len(rows) else None
    asked = {name: c for name, c in reference.profile.columns.items() if name == PREDICTION or name in rows}
    return find_drift(Profile(reference.profile.rows, asked), rows, answers, drift)


def _apart(table: Table, is_new: NDArray[np.bool_], names: list[str], reference: Reference, seed: int) -> Apart | None:
    """Return how well new rows are told from those of then that are still there; of a group one row is looked at."""
    frame, group = table.frame, next(iter(table.schema.names("group")), None)
    if group is not None:
        order = np.random.default_rng((seed, 7)).permutation(len(frame))
        alone = np.zeros(len(frame), dtype=bool)
        alone[order[~frame[group].iloc[order].duplicated().to_numpy()]] = True
        frame, is_new = frame[alone], is_new[alone]
    profile = reference.profile.columns
    kinds = {name: profile[name].kind for name in names if name in profile}
    return tell_apart(frame[~is_new], frame[is_new], kinds, seed)


def _quality(
    new: Table, champion: Bundle, reference: Reference, evaluate: EvaluateSection, seed: int, least: int
) -> Quality | None:
    """Return how the champion does on new rows with a target; None where too few or where it cannot answer."""
    labelled = new.take(new.frame[new.schema.target.name].notna().to_numpy(dtype=bool))
    if len(labelled) < least:
        return None
    try:
        metric = chosen_metrics(evaluate, champion.schema.task)[0]
        target, said = target_values(champion, labelled), predicted(champion, labelled, "new")
    except GoodfitError:
        return None
    then = reference.scores.get(metric)
    if then is None:
        return None
    answers = Answers(target, groups_of(labelled), {MODEL: said}, {MODEL: champion.threshold})
    estimate = judge(answers, (metric,), evaluate.bootstrap, (seed, 3)).estimate(MODEL, metric)
    now = (estimate.value, estimate.low, estimate.high)
    if not np.isfinite(now).all():
        return None
    minimize = METRICS[metric].facts["direction"] == "minimize"
    loss = now[0] - then[0] if minimize else then[0] - now[0]
    shown = now[1] > then[2] if minimize else now[2] < then[1]
    return Quality(metric, then, now, loss / max(abs(then[0]), 1e-12), shown, len(labelled))


def new_rows(table: Table, identity: list[str], reference: Reference) -> int:
    """Return how many rows were not there when a version was trained."""
    return int(pd.Series(reference.known.new(table, identity)).sum())
