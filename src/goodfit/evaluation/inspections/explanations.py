"""Which columns does the model need, and which way do they push?"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray
from pydantic import Field

from goodfit.data import Schema
from goodfit.errors import Fault, shorten, suggestion
from goodfit.evaluation.charts import bar_chart, line_chart
from goodfit.evaluation.explaining.blocks import blocks_of, grouped
from goodfit.evaluation.explaining.dependence import Dependence, partial_dependence
from goodfit.evaluation.explaining.permutation import Importance, permutation_importance
from goodfit.evaluation.explaining.reliance import affordable, left_out, relied_on
from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject
from goodfit.evaluation.inspections.resampling import resampling_of
from goodfit.preprocessing import Arrays

NUMBER = 50
SHOWN = 12
RESAMPLES = 200
CURVES = 3
"""Classes whose mean probability is drawn, the most frequent ones first, if there are more than two."""


@INSPECTIONS.register("explanations", tasks=("binary", "multiclass", "regression"), order=50)
class Explanations(Inspection):
    """Which columns the model needs, and which way they push: permutation importance and partial dependence.

    Options:
        split: the rows that are asked; valid keeps the test rows out of every later choice of columns.
        rows: at most so many rows, drawn at random.
        repeats: how often each column is shuffled.
        top: columns whose partial dependence is drawn.
        together: name to columns that are shuffled as one, because one gives the others away.
    """

    def __init__(
        self,
        *,
        split: Literal["valid", "test"] = "valid",
        rows: Annotated[int, Field(ge=10, le=100_000)] = 1000,
        repeats: Annotated[int, Field(ge=1, le=100)] = 5,
        top: Annotated[int, Field(ge=0, le=50)] = 4,
        together: dict[str, list[str]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.split, self.rows, self.repeats, self.top, self.together = split, rows, repeats, top, together or {}

    def faults(self, schema: Schema) -> Sequence[Fault]:
        """Return the columns of `together` that are no features, or in two groups."""
        features = [column.name for column in schema.features]
        named = [name for columns in self.together.values() for name in columns]
        unknown = [Fault("together", "is no feature", name, suggestion(name, features)) for name in named]
        twice = sorted({name for name in named if named.count(name) > 1})
        return [fault for fault in unknown if fault.value not in features] + [
            Fault("together", "names a column twice", name, "Put it into one group.") for name in twice
        ]

    def inspect(self, subject: Subject) -> Finding | None:
        """Return the importance of every column, and the curves of the first ones."""
        kept = self._kept(subject)
        frame, target = subject.tables[self.split].frame.iloc[kept], subject.targets[self.split][kept]
        arrays = subject.bundle.preprocessor.transform(frame)
        blocks = blocks_of(subject.bundle.preprocessor)
        if not blocks or not len(frame):
            return None
        named = {name for columns in self.together.values() for name in columns}
        kept_columns = named.union(relied_on(subject.bundle, arrays, affordable(arrays, self.repeats)))
        asked = grouped({name: block for name, block in blocks.items() if name in kept_columns}, self.together)
        resampling = resampling_of(subject, NUMBER, self.split, kept, RESAMPLES)
        found = permutation_importance(subject.bundle, arrays, target, asked, subject.metric, resampling, self.repeats)
        needed = [one for one in found if one.low > 0]
        drawn = [one.name for one in found if one.name in blocks][: self.top]
        curves = [partial_dependence(subject.bundle, frame, arrays, blocks[name]) for name in drawn]
        others = left_out(kept_columns & set(blocks), len(blocks), "shuffled")
        return Finding(
            "Which columns it needs",
            self._summary(subject, found, needed, len(frame)) + others,
            {"importance": _table(found), **_dependence_table(subject, curves)},
            [_bars(found, subject.metric), *(_curve(subject, curve, arrays) for curve in curves)],
            {"needed_columns": float(len(needed)), **_figures(found)},
        )

    def _kept(self, subject: Subject) -> NDArray[np.intp]:
        rows = len(subject.targets[self.split])
        if rows <= self.rows:
            return np.arange(rows)
        return np.sort(np.random.default_rng((subject.seed, NUMBER)).choice(rows, self.rows, replace=False))

    def _summary(self, subject: Subject, found: list[Importance], needed: list[Importance], rows: int) -> str:
        if not needed:
            return f"No column is shown to matter by itself: shuffling any of them leaves {subject.metric} as it is."
        first = ", ".join(shorten(one.name, 40).strip("'") for one in needed[:3])
        return (
            f"{len(needed)} of {len(found)} columns are shown to matter, {first} most: shuffled among {rows:,} "
            f"{self.split} rows, {needed[0].name} costs {needed[0].loss:.3g} {subject.metric}. "
            "A column that another one can stand in for looks unimportant here."
        )


def _table(found: list[Importance]) -> pd.DataFrame:
    return pd.DataFrame(
        [(one.name, one.loss, one.low, one.high) for one in found], columns=["column", "loss", "low", "high"]
    )


def _bars(found: list[Importance], metric: str) -> tuple[str, Markup]:
    shown = found[:SHOWN]
    chart = bar_chart(
        [one.name for one in shown],
        [one.loss for one in shown],
        f"loss of {metric} when shuffled",
        intervals=[(one.low, one.high) for one in shown],
    )
    return f"What the model loses without a column ({len(shown)} of {len(found)} columns)", chart


def _figures(found: list[Importance]) -> dict[str, float]:
    return {"largest_importance": found[0].loss} if found else {}


def _dependence_table(subject: Subject, curves: list[Dependence]) -> dict[str, pd.DataFrame]:
    names = list(subject.schema.classes) or [subject.schema.target.name]
    lines = [
        (curve.column, "" if value is None else str(value), name, float(mean))
        for curve in curves
        for value, means in zip(curve.values, curve.means, strict=True)
        for name, mean in zip(names, means, strict=True)
    ]
    return (
        {"dependence": pd.DataFrame(lines, columns=["column", "value", "output", "mean_prediction"])} if lines else {}
    )


def _curve(subject: Subject, curve: Dependence, arrays: Arrays) -> tuple[str, Markup]:
    outputs = _outputs(subject)
    said = f"mean prediction of {outputs[0][0]}" if len(outputs) == 1 else "mean probability"
    caption = f"Partial dependence: {said} by {curve.column}"
    if not curve.ordered:
        values = ["missing" if value is None else str(value) for value in curve.values]
        return caption, bar_chart(values, curve.means[:, outputs[0][1]].tolist(), f"mean prediction of {outputs[0][0]}")
    places = _numbers(curve)
    series = {name: list(zip(places, curve.means[:, index].tolist(), strict=True)) for name, index in outputs}
    return caption, line_chart(series, _axis(curve), said)


def _outputs(subject: Subject) -> list[tuple[str, int]]:
    """Return the outputs that are drawn, by name and index."""
    classes = subject.schema.classes
    if not classes:
        return [(subject.schema.target.name, 0)]
    if len(classes) == 2:
        return [(classes[1], 1)]
    frequent = np.argsort(-np.bincount(subject.targets["train"], minlength=len(classes)), kind="stable")[:CURVES]
    return [(classes[index], int(index)) for index in frequent]


def _numbers(curve: Dependence) -> list[float]:
    values = pd.Series(curve.values)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return [value.timestamp() / 86_400 for value in values]
    return [float(value) for value in values]


def _axis(curve: Dependence) -> str:
    timed = pd.api.types.is_datetime64_any_dtype(pd.Series(curve.values).dtype)
    return f"{curve.column} (days since 1970)" if timed else curve.column
