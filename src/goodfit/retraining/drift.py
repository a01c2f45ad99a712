"""Has the world moved on: new rows beside those that the champion was trained on.

A column has drifted if its change is both large (an effect size) and no accident (a test, corrected for asking about
many columns). Significance alone finds trifles in large tables, effect size alone finds noise in small ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from goodfit.errors import DataError
from goodfit.retraining.distances import chance, corrected, pooled, population_stability
from goodfit.retraining.drift_section import DriftSection
from goodfit.retraining.profile import PREDICTION, ColumnProfile, Profile, thinned


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
class Drift:
    """What was found.

    Args:
        rows: new rows.
        columns: those that were tested, the most moved first.
        notes: what was not tested, and why.
    """

    rows: int
    columns: tuple[ColumnDrift, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def drifted(self) -> tuple[str, ...]:
        """The columns that have drifted, the most moved first."""
        return tuple(column.column for column in self.columns if column.drifted)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        columns = [asdict(column) for column in self.columns]
        return {"rows": self.rows, "drifted": list(self.drifted), "columns": columns, "notes": list(self.notes)}


def find_drift(reference: Profile, frame: pd.DataFrame, answers: pd.Series | None, section: DriftSection) -> Drift:
    """Compare new rows with a profile.

    Args:
        reference: of the rows that the champion was trained on.
        frame: the new rows.
        answers: what the champion says of the new rows, as `profile.answers_of` gives it; None where it cannot say.
        section: when a change matters.
    """
    if len(frame) < section.min_rows:
        return Drift(len(frame), (), (f"{len(frame):,} new rows are too few to tell: {section.min_rows:,} are needed",))
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
    found = sorted(_judged(pairs, section), key=lambda column: (not column.drifted, -column.stability))
    return Drift(len(frame), tuple(found), tuple(notes[:20]))


def _counts(values: pd.Series) -> bool:
    """Tell whether a column that no profile has might be one that should: a date is left out of every profile."""
    return not pd.api.types.is_datetime64_any_dtype(values.dtype)


def _judged(pairs: Mapping[str, tuple[ColumnProfile, Any, float]], section: DriftSection) -> Iterator[ColumnDrift]:
    if not pairs:
        return
    values, gaps = [], []
    for profile, counts, missing in pairs.values():
        values.append(chance(*pooled(np.asarray(profile.counts), counts)))
        present = float(counts.sum())
        gaps.append(chance([profile.missing, profile.rows - profile.missing], [missing, present]))
    both = corrected(np.concatenate([np.ravel(values), np.ravel(gaps)]))
    by_value, by_gap = both[: len(pairs)], both[len(pairs) :]
    for (name, (profile, counts, missing)), p, q in zip(pairs.items(), by_value, by_gap, strict=True):
        moved = float(population_stability(*pooled(np.asarray(profile.counts), counts)))
        share = missing / max(1.0, missing + float(counts.sum())) - profile.missing / max(1.0, profile.rows)
        alarm = bool(alarms(moved, float(p), section.stability, section))
        gap = bool(alarms(abs(share), float(q), section.missing, section))
        yield ColumnDrift(name, moved, float(p), share, float(q), alarm or gap)


def alarms(effect: Any, corrected_chance: Any, least: float, section: DriftSection) -> Any:
    """Return whether a change is both large and no accident; works on arrays as well."""
    return (effect >= least) & (corrected_chance < section.significance)
