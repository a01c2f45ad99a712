"""Inspections draw rows as all intervals do: those of a group, or that follow each other in time, together."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from goodfit import evaluation
from goodfit.data import Column, Schema, Table
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.inspections import INSPECTIONS, Subject
from goodfit.evaluation.inspections.resampling import clusters_of, resampling_of

ROWS, WEEK = 600, 200
SPLITS = ("train", "valid", "test")
TIMED = Schema(
    (Column("at", "datetime", "time"), Column("week", "categorical", "feature"), Column("y", "numeric", "target")),
    "regression",
)


def subject(seed: int, *, groups: bool = False, role: Any = "time") -> Subject:
    """Return errors that remember each other for days, and a feature that is the same for two hundred rows."""
    rng = np.random.default_rng(seed)
    schema = Schema((Column("at", "datetime", role), *TIMED.columns[1:]), "regression")
    tables, targets = {}, {}
    for number, split in enumerate(SPLITS):
        size, level = np.empty(ROWS), rng.normal()
        for row in range(ROWS):
            level = 0.95 * level + np.sqrt(1 - 0.95**2) * rng.normal()
            size[row] = np.exp(level)
        error = size * rng.choice([-1, 1], ROWS)
        at = pd.date_range("2024-01-01", periods=ROWS, freq="h") + pd.Timedelta(days=100 * number)
        week = [f"week {row // WEEK}" for row in range(ROWS)]
        shuffled = rng.permutation(ROWS)
        frame = pd.DataFrame({"at": at, "week": week, "y": error}).iloc[shuffled].reset_index(drop=True)
        tables[split], targets[split] = Table(frame, schema), error[shuffled]
    said = {split: np.zeros(ROWS) for split in SPLITS}
    whose = {split: np.arange(ROWS) // 3 if groups else None for split in SPLITS}
    about: Any = (None, schema, "regression", 1, tables, targets, said, whose, "mae", BootstrapSection(resamples=100))
    return Subject(*about)


def test_rows_are_drawn_as_the_split_says() -> None:
    in_time, grouped, alone = subject(0), subject(0, groups=True), subject(0, role="ignore")
    for split in ("valid", "test"):
        drawn = resampling_of(in_time, 7, split)
        assert drawn.groups is None
        assert drawn.stretches is not None
        assert drawn.stretches.length > 5
        order = in_time.tables[split].frame["at"].rank().to_numpy() - 1
        assert drawn.stretches.place.tolist() == order.tolist()
        clusters = clusters_of(in_time, split)
        assert clusters is not None
        assert clusters.tolist() == (order // drawn.stretches.length).tolist()
        assert resampling_of(grouped, 7, split).stretches is None
        assert resampling_of(grouped, 7, split).units == ROWS // 3
        assert resampling_of(alone, 7, split).units == ROWS
        assert clusters_of(alone, split) is None
    assert resampling_of(in_time, 7).seed == (1, 7)


def test_a_sample_of_rows_keeps_its_order_and_remembers_less() -> None:
    whole, kept = resampling_of(subject(0), 7), np.sort(np.random.default_rng(0).choice(ROWS, 60, replace=False))
    part = resampling_of(subject(0), 7, "test", kept, 50)
    assert (part.rows, part.resamples) == (60, 50)
    assert whole.stretches is not None
    assert part.stretches is not None
    assert part.stretches.length < whole.stretches.length
    assert part.stretches.place.tolist() == whole.stretches.place[kept].argsort().argsort().tolist()
    grouped = resampling_of(subject(0, groups=True), 7, "test", kept)
    assert grouped.units == len({row // 3 for row in kept})


def test_a_bad_week_is_no_hard_slice() -> None:
    """Errors that last for days make a week bad in both splits by chance; rows taken alone would swear to it."""
    flagged = {"time": 0, "ignore": 0}
    for seed in range(12):
        for role in flagged:
            found = INSPECTIONS["slices"].cls(significance=0.05).inspect(subject(seed, role=role))
            flagged[role] += bool(found and found.figures["hard"])
    assert flagged["ignore"] >= 5, "with 0.6 expected: the rows are not what this test needs"
    assert flagged["time"] <= 1


def test_no_inspection_draws_rows_its_own_way() -> None:
    modules = sorted((Path(evaluation.__file__).parent / "inspections").glob("*.py"))
    assert len(modules) > 8
    own = [module.name for module in modules if "Resampling(" in module.read_text(encoding="utf-8")]
    assert own == ["resampling.py"]
