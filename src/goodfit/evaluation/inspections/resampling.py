"""How the rows that an inspection looks at are drawn anew: as all intervals are, so that the page has one answer."""

import numpy as np
from numpy.typing import NDArray

from goodfit.data import Table
from goodfit.evaluation.bootstrap import Resampling, group_codes
from goodfit.evaluation.inspections.base import Subject
from goodfit.evaluation.ordering import follow_in_time, stretches_of
from goodfit.evaluation.stretches import Stretches


def resampling_of(
    subject: Subject,
    number: int,
    split: str = "test",
    rows: NDArray[np.intp] | None = None,
    resamples: int | None = None,
) -> Resampling:
    """Return how rows are drawn anew: by groups, by stretches of time, or each alone.

    Args:
        subject: what is inspected.
        number: the inspection's own, for the seed.
        split: whose rows.
        rows: which of them [m]; None for all.
        resamples: number of draws; None for that of `evaluate.bootstrap`.
    """
    chosen = np.arange(len(subject.targets[split])) if rows is None else rows
    groups = subject.groups[split]
    codes = group_codes(None if groups is None else groups[chosen])
    stretches = _stretches(subject, split, chosen) if codes is None else None
    draws = subject.bootstrap.resamples if resamples is None else resamples
    return Resampling(len(chosen), draws, subject.bootstrap.level, (subject.seed, number), codes, stretches)


def clusters_of(subject: Subject, split: str) -> NDArray[np.intp] | None:
    """Return the group, or the stretch of time, that each row [n] of a split lies in; None where rows stand alone."""
    if subject.groups[split] is not None:
        return group_codes(subject.groups[split])
    stretches = _stretches(subject, split, np.arange(len(subject.targets[split])))
    if stretches is None or stretches.length == 1:
        return None
    return np.asarray(stretches.place // stretches.length, dtype=np.intp)


def _stretches(subject: Subject, split: str, rows: NDArray[np.intp]) -> Stretches | None:
    if not len(rows) or not follow_in_time(subject.tables):
        return None
    table = subject.tables[split]
    part = Table(table.frame.iloc[rows], table.schema)
    return stretches_of(part, subject.targets[split][rows], subject.predictions[split][rows])
