"""What an evaluation found; `to_dict` is metrics.json."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from goodfit.data import Schema, Task
from goodfit.evaluation.estimates import Comparison, Estimate, finite
from goodfit.evaluation.inspecting import Inspected

SPLITS = ("train", "valid", "test")
BASELINES = ("dummy", "linear", "boosting")
"""What a model is compared with, the simplest first."""
Estimates = Mapping[str, Estimate]


@dataclass(frozen=True)
class Evaluation:
    """A model's metrics on the three splits, beside its baselines.

    Args:
        task: the learning task.
        classes: class names in index order; empty for regression.
        metrics: names of the metrics, the one that gives the verdict first.
        rows: number of rows judged, by split.
        resamples, level: how the intervals were made.
        splits: split to metric to estimate.
        generalization_gap: metric to how much worse test is than train, in the metric's units: test minus train where
            lower is better, train minus test where higher is better; NaN where undefined.
        baselines: baseline to metric to its estimate on test.
        comparison: baseline to metric to model against baseline, paired on the test rows.
        confusion: rows by actual and predicted class on test; empty for regression.
        plots: file stem to the table that is drawn from it, on test.
        notes: dotted place to what should be known about the figure there.
        inspected: what the inspections found.
        schema: the columns of the model.
        seen: the splits whose rows trained the model; their figures say nothing of new rows.
    """

    task: Task
    classes: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: Mapping[str, int]
    resamples: int
    level: float
    splits: Mapping[str, Estimates]
    generalization_gap: Mapping[str, float]
    baselines: Mapping[str, Estimates]
    comparison: Mapping[str, Mapping[str, Comparison]]
    confusion: list[list[int]] = field(default_factory=list)
    plots: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    inspected: Inspected = field(default_factory=Inspected)
    schema: Schema | None = None
    seen: tuple[str, ...] = ("train",)

    def to_dict(self) -> dict[str, Any]:
        """Return metrics.json: finite numbers only; a figure that is undefined is null and has a note."""
        return {
            **{split: _written(estimates) for split, estimates in self.splits.items()},
            "generalization_gap": {name: finite(gap) for name, gap in self.generalization_gap.items()},
            "baselines": {name: _written(estimates) for name, estimates in self.baselines.items()},
            "comparison": {name: _written(compared) for name, compared in self.comparison.items()},
            "bootstrap": {"resamples": self.resamples, "level": self.level},
            "rows": dict(self.rows),
            "seen": list(self.seen),
            "inspections": {
                kind: {name: finite(figure) for name, figure in finding.figures.items()}
                for kind, finding in self.inspected.findings.items()
            },
            "notes": dict(self.notes),
        }


def _written(figures: Mapping[str, Estimate] | Mapping[str, Comparison]) -> dict[str, Any]:
    return {name: figure.to_dict() for name, figure in figures.items()}
