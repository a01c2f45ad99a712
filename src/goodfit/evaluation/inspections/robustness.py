"""What happens when a column goes missing or becomes noisy?"""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from goodfit.data import Column
from goodfit.evaluation.charts import line_chart
from goodfit.evaluation.explaining.blocks import blocks_of
from goodfit.evaluation.explaining.reliance import affordable, left_out, relied_on
from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject
from goodfit.evaluation.inspections.resampling import resampling_of
from goodfit.evaluation.robustness.changes import missing, perturbed, spread, with_column
from goodfit.evaluation.robustness.sensitivity import Moved, moved
from goodfit.metrics import METRICS
from goodfit.preprocessing import Arrays

NUMBER = 60
RESAMPLES = 200
NAMED = 3
MAX_FEATURES = 100
"""Columns that are changed one by one; of more, those that the model relies on most, and all of them together."""
Answers = dict[str, NDArray[np.float64]]


@INSPECTIONS.register("robustness", tasks=("binary", "multiclass", "regression"), order=60)
class Robustness(Inspection):
    """What a missing or a noisy column does to the metric and to the predictions, on the test rows.

    Numbers and times get normal noise in units of their spread in the train rows; categories and truth values are
    swapped for those of other rows.

    Options:
        rows: most test rows that are asked, drawn at random.
        noise: size of the noise, in standard deviations of the column.
        swap: share of the rows whose category is swapped.
        sizes: sizes of noise, and shares swapped, for all columns at once.
    """

    def __init__(
        self,
        *,
        rows: Annotated[int, Field(ge=10, le=100_000)] = 1000,
        noise: Annotated[float, Field(gt=0, le=10)] = 0.25,
        swap: Annotated[float, Field(gt=0, le=1)] = 0.1,
        sizes: list[Annotated[float, Field(gt=0, le=1)]] = [0.05, 0.1, 0.2, 0.5],  # noqa: B006  (never changed)
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.rows, self.noise, self.swap, self.sizes = rows, noise, swap, sizes

    def inspect(self, subject: Subject) -> Finding | None:
        """Return how far each column's absence and noise move the metric and the predictions."""
        kept = self._kept(subject)
        seen = set(subject.bundle.preprocessor.columns)
        columns = [column for column in subject.schema.features if column.name in seen]
        if not columns or not len(kept):
            return None
        frame, target = subject.tables["test"].frame.iloc[kept], subject.targets["test"][kept]
        resampling = resampling_of(subject, NUMBER, "test", kept, RESAMPLES)
        arrays = subject.bundle.preprocessor.transform(frame)
        single = relied_on(subject.bundle, arrays, min(MAX_FEATURES, affordable(arrays, 2)))
        answers, changes = self._answers(subject, frame, columns, arrays, set(single))
        before = subject.bundle.answers(arrays)
        found = moved(subject.metric, target, before, answers, subject.bundle.decide, resampling)
        singles = _table(subject.metric, {key: found[key] for key in changes}, changes)
        together = {key: result for key, result in found.items() if key not in changes}
        sizes = {f"all columns at {size:g}": ("all columns", f"noise {size:g}") for size in self.sizes}
        curve = _table(subject.metric, together, sizes)
        return Finding(
            "What missing and noisy columns do",
            _summary(singles, subject.metric) + left_out(single, len(columns), "changed one by one"),
            {"columns": singles, "together": curve},
            _charts(curve, self.sizes, subject.metric),
            _figures(singles, curve, self.sizes, subject.metric),
        )

    def _kept(self, subject: Subject) -> NDArray[np.intp]:
        rows = len(subject.targets["test"])
        if rows <= self.rows:
            return np.arange(rows)
        return np.sort(np.random.default_rng((subject.seed, NUMBER)).choice(rows, self.rows, replace=False))

    def _answers(
        self, subject: Subject, frame: pd.DataFrame, columns: list[Column], arrays: Arrays, single: set[str]
    ) -> tuple[Answers, dict[str, tuple[str, str]]]:
        """Return what is said of the changed rows by change, and of single columns which one and what was done."""
        train, bundle, blocks = subject.tables["train"].frame, subject.bundle, blocks_of(subject.bundle.preprocessor)
        scales = {column.name: _scale(train, column) for column in columns}
        answers: Answers = {}
        changes: dict[str, tuple[str, str]] = {}
        for index, column in enumerate(column for column in columns if column.name in single):
            generator = np.random.default_rng((subject.seed, NUMBER, index))
            size, done = self._size(column)
            noisy = perturbed(frame[column.name], column, size, scales[column.name], generator)
            for change, values in (("missing", missing(frame[column.name])), (done, noisy)):
                key = f"{index} {change}"
                changes[key] = (column.name, change)
                changed = with_column(arrays, bundle.preprocessor, blocks[column.name], values)
                answers[key] = bundle.answers(changed)
        for size in self.sizes:
            generator = np.random.default_rng((subject.seed, NUMBER, MAX_FEATURES))
            new = {c.name: perturbed(frame[c.name], c, size, scales[c.name], generator) for c in columns}
            answers[f"all columns at {size:g}"] = bundle.predict(frame.assign(**new))
        return answers, changes

    def _size(self, column: Column) -> tuple[float, str]:
        if column.type in ("numeric", "datetime"):
            return self.noise, f"noise of {self.noise:g} sd"
        return self.swap, f"{self.swap:.0%} swapped"


def _scale(train: pd.DataFrame, column: Column) -> float:
    return spread(train[column.name], column) if column.type in ("numeric", "datetime") else 0.0


def _table(metric: str, found: Mapping[str, Moved], changes: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Return a line per change, the most harmful first."""
    sign = 1 if METRICS[metric].facts["direction"] == "minimize" else -1
    lines = []
    for key, one in found.items():
        column, change = changes[key]
        line: dict[str, Any] = {"column": column, "change": change, metric: one.value}
        line |= {"difference": one.difference, "low": one.low, "high": one.high}
        line |= {"finding": "worse" if one.worse else "not shown"}
        lines.append({**line, "prediction_moves": one.prediction, "other_class": one.decisions})
    table = pd.DataFrame(lines)
    order = np.argsort(-sign * table["difference"].to_numpy(float), kind="stable")
    return table.iloc[order].reset_index(drop=True) if changes and "all columns" not in set(table["column"]) else table


def _summary(singles: pd.DataFrame, metric: str) -> str:
    worse = singles[singles["finding"] == "worse"]
    said = "No single missing or noisy column makes it measurably worse."
    if len(worse):
        named = [
            f"{line['column']} ({line['change']}, {line['difference']:+.3g})"
            for _, line in worse.head(NAMED).iterrows()
        ]
        said = f"Most harmful to {metric}: {', '.join(named)}."
    return said


def _charts(curve: pd.DataFrame, sizes: list[float], metric: str) -> list[Any]:
    points = [(size, value) for size, value in zip(sizes, curve[metric], strict=True) if np.isfinite(value)]
    chart = line_chart({"all columns": points}, "noise, in standard deviations", metric)
    return [("All columns noisy at once", chart)] if len(points) > 1 and chart else []


def _figures(singles: pd.DataFrame, curve: pd.DataFrame, sizes: list[float], metric: str) -> dict[str, float]:
    """Return the most harmful differences, and the metric under noise in all columns; undefined ones are left out."""
    gone = singles[singles["change"] == "missing"]["difference"]
    noisy = singles[singles["change"] != "missing"]["difference"]
    figures = {
        "missing.worst": gone.iloc[0] if len(gone) else np.nan,
        "noise.worst": noisy.iloc[0] if len(noisy) else np.nan,
    }
    figures |= {f"noise_{size:g}.{metric}": value for size, value in zip(sizes, curve[metric], strict=True)}
    return {name: float(value) for name, value in figures.items() if np.isfinite(value)}
