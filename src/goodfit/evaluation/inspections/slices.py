"""Where does the model fail: declared slices, the worst that a search finds, and protected attributes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from goodfit.data import Schema
from goodfit.errors import Fault, suggestion
from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject
from goodfit.evaluation.inspections.resampling import clusters_of, resampling_of
from goodfit.evaluation.slices.declared import declared_slices
from goodfit.evaluation.slices.discovery import HARD, SMALLEST_P, Discovered, discover
from goodfit.evaluation.slices.figures import bounded, slice_figures
from goodfit.evaluation.slices.parity import parity_tables, rates_of
from goodfit.metrics import METRICS

NUMBER = 20
FIGURES = ("value", "low", "high", "difference", "difference_low", "difference_high")
FOUR_FIFTHS = 0.8
Share = Annotated[float, Field(ge=SMALLEST_P, lt=1)]
Cuts = Annotated[list[Annotated[float, Field(strict=True)]], Field(min_length=1)]
Cross = Annotated[list[str], Field(min_length=2, max_length=3)]


@INSPECTIONS.register("slices", tasks=("binary", "multiclass", "regression"), order=30)
class Slices(Inspection):
    """Where the model fails: declared slices, the worst ones that a search finds, and protected attributes.

    The search looks at the valid rows: every level, run of bins and gap of a feature, and every cross of two. The test
    rows, which had no part in it, confirm or refute what it found. Then it looks at the test rows, and the valid rows
    answer. The significance is corrected for asking about several slices, both ways. A slice is failing if the model is
    wrong there more often than it is on other rows with the same predictions, and hard if it is wrong there more often
    than elsewhere.

    Options:
        columns: columns whose every level or bin is a slice.
        bins: numeric column to the cuts between its bins; without it, bins hold equally many rows.
        crosses: lists of two or three columns whose every combination is a slice.
        protected: columns whose groups must be treated alike; they need not be features.
        worst: most slices that the search reports; 0 switches it off.
        min_rows: fewest rows of a slice.
        quantiles: bins of a numeric column.
        significance: chance of a false alarm, over all slices of the search together.
    """

    def __init__(
        self,
        *,
        columns: tuple[str, ...] = (),
        bins: dict[str, Cuts] | None = None,
        crosses: tuple[Cross, ...] = (),
        protected: tuple[str, ...] = (),
        worst: Annotated[int, Field(ge=0, le=50)] = 5,
        min_rows: Annotated[int, Field(ge=2)] = 10,
        quantiles: Annotated[int, Field(ge=2, le=20)] = 10,
        significance: Share = 0.01,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.columns, self.bins, self.crosses, self.protected = columns, bins or {}, crosses, protected
        self.worst, self.min_rows, self.quantiles, self.significance = worst, min_rows, quantiles, significance

    @staticmethod
    def check_options(options: Any) -> Iterator[Fault]:
        """Yield what can be seen to be wrong without the data."""
        for name, cuts in (options.bins or {}).items():
            if sorted(set(cuts)) != cuts:
                yield Fault("bins", f"need rising cuts for '{name}'", cuts, "Sort them and drop those there twice.")
        for cross in options.crosses:
            if len(set(cross)) < len(cross):
                yield Fault("crosses", "name a column twice in one cross", cross, "Name different columns.")

    def faults(self, schema: Schema) -> Sequence[Fault]:
        """Return the columns that the schema does not have, and bins of columns that are not numeric."""
        types = {column.name: column.type for column in schema.columns}
        named = [("columns", name) for name in self.columns] + [("protected", name) for name in self.protected]
        named += [("crosses", name) for cross in self.crosses for name in cross]
        named += [("bins", name) for name in self.bins]
        unknown = [Fault(place, "unknown column", name, suggestion(name, types)) for place, name in named]
        wrong = [fault for fault in unknown if fault.value not in types]
        other = [name for name in self.bins if types.get(name, "numeric") != "numeric"]
        rule = "can only cut a numeric column"
        return wrong + [
            Fault("bins", rule, name, f"'{name}' is {types[name]}; its levels are slices.") for name in other
        ]

    def inspect(self, subject: Subject) -> Finding | None:
        """Return the slices, and the groups of the protected columns, on the test rows."""
        tables: dict[str, pd.DataFrame] = {}
        figures: dict[str, float] = {}
        warnings: list[str] = []
        notes: list[str] = []
        if self.worst:
            self._searched(subject, tables, figures, warnings, notes)
        self._declared(subject, tables, figures)
        for number, name in enumerate(self.protected):
            self._parity(subject, name, number, tables, figures, warnings)
        if not tables and not notes:
            return None
        summary = " ".join(notes) or "How the model does on the declared parts of the test rows."
        return Finding("Where it fails: slices of the rows", summary, tables, (), figures, warnings)

    def _searched(
        self, subject: Subject, tables: dict[str, Any], figures: dict[str, float], warnings: list[str], notes: list[str]
    ) -> None:
        discovered = discover(
            subject.task,
            subject.schema,
            {split: subject.tables[split].frame for split in ("valid", "test")},
            subject.targets,
            subject.predictions,
            {split: clusters_of(subject, split) for split in ("valid", "test")},
            kinds=("failing", HARD),
            bins=self.quantiles,
            min_rows=self.min_rows,
            count=self.worst,
            seed=(subject.seed, NUMBER),
        )
        for kind, found in discovered.items():
            flagged = [part for part in found if part.confirmed.p <= self.significance]
            figures[kind] = float(len(flagged))
            if found:
                tables[kind] = self._found(subject, found, kind)
            notes.append(_summary(kind, [part.name for part in flagged], subject.metric, tables.get(kind)))
            if flagged and kind != HARD:
                warnings.append(_warning(tables[kind].iloc[0], len(flagged), subject.metric))

    def _found(self, subject: Subject, found: list[Discovered], kind: str) -> pd.DataFrame:
        """Return a line per slice, with its figures on the rows that had no part in finding it."""
        tables = []
        for split in dict.fromkeys(part.asked for part in found):
            places = [place for place, part in enumerate(found) if part.asked == split]
            names, masks = [found[place].name for place in places], [found[place].mask for place in places]
            tables.append(self._table(subject, names, masks, split).set_axis(places))
        table = pd.concat(tables).sort_index()
        table.insert(1, "finding", [self._said(part.confirmed.p, kind) for part in found])
        table.insert(2, "asked", [part.asked for part in found])
        table["excess_loss"] = [part.confirmed.excess for part in found]
        table["p"] = [part.confirmed.p for part in found]
        return table

    def _said(self, p: float, kind: str) -> str:
        return kind if p <= self.significance else "not shown"

    def _declared(self, subject: Subject, tables: dict[str, Any], figures: dict[str, float]) -> None:
        frame = subject.tables["test"].frame
        declarations = [[name] for name in dict.fromkeys([*self.columns, *self.bins])] + list(self.crosses)
        found = declared_slices(frame, subject.schema, declarations, self.bins, self.quantiles, self.min_rows)
        if not found:
            return
        table = self._table(subject, [part.name for part in found], [part.mask for part in found])
        table.insert(0, "declared", [part.declaration for part in found])
        tables["declared"] = table
        values = table["value"].dropna()
        if len(values):
            maximize = METRICS[subject.metric].facts["direction"] == "maximize"
            figures[f"declared.worst.{subject.metric}"] = float(values.min() if maximize else values.max())

    def _table(
        self, subject: Subject, names: list[str], masks: list[NDArray[np.bool_]], split: str = "test"
    ) -> pd.DataFrame:
        """Return a line per slice: rows, the metric with its interval, and the difference from the rest."""
        said, resampling = _needed(subject, split), resampling_of(subject, NUMBER, split)
        found = slice_figures(masks, subject.metric, subject.targets[split], said, resampling)
        lines = []
        for name, part in zip(names, found, strict=True):
            bounds = (part.value, part.difference)
            numbers = [number for estimate in bounds for number in (estimate.value, estimate.low, estimate.high)]
            lines.append(
                {"slice": name, "rows": part.rows, "metric": subject.metric, **dict(zip(FIGURES, numbers, strict=True))}
            )
        return pd.DataFrame(lines)

    def _parity(
        self,
        subject: Subject,
        name: str,
        number: int,
        tables: dict[str, Any],
        figures: dict[str, float],
        warnings: list[str],
    ) -> None:
        frame, target, said = subject.tables["test"].frame, subject.targets["test"], subject.predictions["test"]
        parts = declared_slices(frame, subject.schema, [[name]], self.bins, 4, self.min_rows)
        if len(parts) < 2:
            warnings.append(
                f"Protected column '{name}' has fewer than two groups of {self.min_rows} test rows: no parity."
            )
            return
        classes = None if subject.task == "regression" else subject.bundle.decide(said)
        rates = rates_of(subject.task, target, said, classes)
        resampling = bounded(resampling_of(subject, NUMBER))
        groups, between = parity_tables({part.name: part.mask for part in parts}, rates, resampling)
        tables |= {f"groups_{number + 1}": groups, f"parity_{number + 1}": between}
        for line in between.to_dict("records"):
            figures[f"parity.{name}.{line['rate']}.{line['compared']}"] = float(line["value"])
            if line["rate"] == "selection_rate" and line["compared"] == "ratio" and line["high"] < FOUR_FIFTHS:
                said_of = f"{line['lowest']} is chosen {line['value']:.2f} times as often as {line['highest']}"
                warnings.append(f"Protected column '{name}': {said_of}, below four fifths.")


def _needed(subject: Subject, split: str) -> NDArray[Any]:
    said = subject.predictions[split]
    return subject.bundle.decide(said) if METRICS[subject.metric].facts["needs"] == "classes" else said


def _summary(kind: str, flagged: list[str], metric: str, table: pd.DataFrame | None) -> str:
    what = (
        "wrong more often than on other rows with the same predictions"
        if kind != HARD
        else "wrong more often than elsewhere"
    )
    if not flagged:
        return f"No slice is shown to be {kind} ({what})."
    return (
        f"{len(flagged)} {'slice is' if len(flagged) == 1 else 'slices are'} {kind} ({what}), the worst: {flagged[0]}."
    )


def _warning(line: Mapping[str, Any], count: int, metric: str) -> str:
    others = f" (and {count - 1} more)" if count > 1 else ""
    where, figures = f"{line['rows']:,} {line['asked']} rows", f"{metric} {line['value']:.4g}"
    against = f"{line['difference']:+.4g} against the rest"
    return f"The model fails where {line['slice']}{others}: {figures} on {where}, {against}."
