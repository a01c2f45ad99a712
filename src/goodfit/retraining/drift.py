"""Has the world moved on: new rows beside those that the champion was trained on.

A column has drifted if its change is both large (an effect size) and no accident (a test, corrected for asking about
many columns). Significance alone finds trifles in large tables, effect size alone finds noise in small ones. How the
columns hang together is one more question, with an answer of the same kind (see `joint`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from goodfit.errors import DataError
from goodfit.retraining.distances import chance, corrected, pooled, population_stability
from goodfit.retraining.drift_section import DriftSection
from goodfit.retraining.joint import Apart
from goodfit.retraining.profile import PREDICTION, ColumnProfile, Profile, thinned

JOINT = "(joint)"
"""Stands among the names of columns for how they hang together."""


@dataclass(frozen=True)
class ColumnDrift:
    """One column then and now.

    Args:
        column: its name; `PREDICTION` is the champion's answers.
        stability: population stability index of the values that are there.
        chance: corrected p-value of that change.
        missing: share of missing values now, minus then.
        missing_chance: corrected p-value of that change.
        drifted: whether either is both large and no accident.
    """

    column: str
    stability: float
    chance: float
    missing: float
    missing_chance: float
    drifted: bool


@dataclass(frozen=True)
class JointDrift:
    """All columns together then and now.

    Args:
        area: under the ROC curve, with which a classifier tells new rows from known ones.
        chance: corrected p-value of that.
        rows: that it was shown.
        drifted: whether it is both much and no accident.
    """

    area: float
    chance: float
    rows: int
    drifted: bool


@dataclass(frozen=True)
class Drift:
    """What was found.

    Args:
        rows: new rows.
        columns: those that were tested, the most moved first.
        joint: all of them together, None where that was not tested.
        notes: what was not tested, and why.
    """

    rows: int
    columns: tuple[ColumnDrift, ...] = ()
    joint: JointDrift | None = None
    notes: tuple[str, ...] = ()

    @property
    def drifted(self) -> tuple[str, ...]:
        """The columns that have drifted, the most moved first; where none has by itself, `JOINT` if together they have.

        A column that has moved lets rows be told apart, so where there is one the joint finding says nothing new.
        """
        alone = tuple(column.column for column in self.columns if column.drifted)
        return alone or ((JOINT,) if self.joint is not None and self.joint.drifted else ())

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return {"drifted": list(self.drifted), **asdict(self)}


def find_drift(
    reference: Profile,
    frame: pd.DataFrame,
    answers: pd.Series | None,
    section: DriftSection,
    apart: Apart | None = None,
) -> Drift:
    """Compare new rows with a profile.

    Args:
        reference: of the rows that the champion was trained on.
        frame: the new rows.
        answers: what the champion says of the new rows, as `profile.answers_of` gives it; None where it cannot say.
        section: when a change matters.
        apart: how well new rows are told from known ones, None where that was not asked.
    """
    if len(frame) < section.min_rows:
        return Drift(
            len(frame), notes=(f"{len(frame):,} new rows are too few to tell: {section.min_rows:,} are needed",)
        )
    rows = thinned(frame)
    pairs: dict[str, tuple[ColumnProfile, Any, float]] = {}
    notes = []
    for name, profile in reference.columns.items():
        values = answers if name == PREDICTION else rows.get(name)
        if values is None:
            notes.append(f"'{name}' is not there any more" if name != PREDICTION else "the champion cannot answer")
            continue
        try:
            pairs[name] = (profile, *profile.count(values))
        except DataError as error:
            notes.append(str(error))
    known = set(reference.columns)
    notes += [f"'{name}' is new" for name in map(str, frame.columns) if name not in known and _counts(frame[name])]
    columns, joint = _judged(pairs, apart, section)
    found = sorted(columns, key=lambda column: (not column.drifted, -column.stability))
    return Drift(len(frame), tuple(found), joint, tuple(notes[:20]))


def _counts(values: pd.Series) -> bool:
    """Tell whether a column that no profile has might be one that should: a date is left out of every profile."""
    return not pd.api.types.is_datetime64_any_dtype(values.dtype)


def _judged(
    pairs: Mapping[str, tuple[ColumnProfile, Any, float]], apart: Apart | None, section: DriftSection
) -> tuple[list[ColumnDrift], JointDrift | None]:
    values, gaps = [], []
    for profile, counts, missing in pairs.values():
        values.append(float(chance(*pooled(np.asarray(profile.counts), counts))))
        present = float(counts.sum())
        gaps.append(float(chance([profile.missing, profile.rows - profile.missing], [missing, present])))
    every = corrected([*values, *gaps, *([apart.chance] if apart else [])]).tolist()
    found = []
    for (name, (profile, counts, missing)), p, q in zip(pairs.items(), every, every[len(pairs) :], strict=False):
        moved = float(population_stability(*pooled(np.asarray(profile.counts), counts)))
        share = missing / max(1.0, missing + float(counts.sum())) - profile.missing / max(1.0, profile.rows)
        alarm = bool(alarms(moved, p, section.stability, section))
        gap = bool(alarms(abs(share), q, section.missing, section))
        found.append(ColumnDrift(name, moved, p, share, q, alarm or gap))
    if apart is None or section.joint is None:
        return found, None
    told = bool(alarms(apart.area, every[-1], section.joint, section))
    return found, JointDrift(apart.area, every[-1], apart.rows, told)


def alarms(effect: Any, corrected_chance: Any, least: float, section: DriftSection) -> Any:
    """Return whether a change is both large and no accident; works on arrays as well."""
    return (effect >= least) & (corrected_chance < section.significance)
