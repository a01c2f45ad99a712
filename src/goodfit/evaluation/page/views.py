"""Parts of the page as the template wants them: small, cut to size, and still nothing but text and numbers."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import pandas as pd
from markupsafe import Markup
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from goodfit.errors import printable
from goodfit.evaluation.charts import line_chart
from goodfit.evaluation.inspecting import Inspected
from goodfit.regularizers import REGULARIZERS

MAX_ROWS = 8
MAX_COLUMNS = 16
MAX_CHARTS = 24
CHART_BYTES = 2_000_000
"""What all findings' charts together may take; the others are left to reports/evaluation/."""
MAX_CELL = 160
MAX_HEADING = 40
MAX_SENTENCE = 2000
MAX_DOTS = 1000
MAX_LISTED = 60
PICTURES = (
    ("roc", "ROC curve", "false_positive_rate", "true_positive_rate"),
    ("calibration", "Calibration: said and come true", "predicted", "observed"),
    ("predicted_vs_actual", "Predicted and actual", "predicted", "actual"),
)
TRIAL_COLUMNS = ("number", "state", "value", "epochs", "duration_s")
SEARCH = 5
COST_LABELS = {
    "latency_row_median_ms": ("answer for one row, median", "ms"),
    "latency_row_p95_ms": ("answer for one row, 95 of 100 calls", "ms"),
    "latency_batch_median_ms": ("answer for {batch} rows, median", "ms"),
    "latency_batch_p95_ms": ("answer for {batch} rows, 95 of 100 calls", "ms"),
    "rows_per_second": ("rows per second, in batches", ""),
    "bundle_mb": ("model on disk", "MB"),
    "prepared_bytes_per_row": ("a preprocessed row", "bytes"),
    "training_seconds": ("training", "s"),
    "training_cpu_seconds": ("training, processor time", "s"),
    "training_peak_rss_mb": ("training, most memory", "MB"),
    "evaluation_peak_rss_mb": ("evaluation, most memory", "MB"),
}


@dataclass(frozen=True)
class TableView:
    """The first rows and columns of a table as text.

    Args:
        stem: of its file.
        headings: of the columns that are shown.
        numeric: which of them are of numbers.
        rows: cells as text, (figure, interval) where a figure has one.
        total: all rows' number.
        columns: all columns' number, with a figure and its interval as one.
    """

    stem: str
    headings: list[str]
    numeric: list[bool]
    rows: list[list[tuple[str, str]]]
    total: int
    columns: int


@dataclass(frozen=True)
class FindingView:
    """What one inspection says; `hidden` counts the charts that the page has no room for."""

    kind: str
    title: str
    summary: str
    warnings: Sequence[str]
    charts: Sequence[tuple[str, Markup]]
    hidden: int
    tables: Sequence[TableView]


def finding_views(inspected: Inspected) -> list[FindingView]:
    """Return the findings in order, their tables and charts cut to what a page can hold."""
    left, found = CHART_BYTES, []
    for kind, finding in inspected.findings.items():
        charts: list[tuple[str, Markup]] = []
        for caption, chart in finding.charts:
            left -= len(chart)
            if chart and left > 0 and len(charts) < MAX_CHARTS:
                charts.append((caption, chart))
        tables = [table_view(f"{kind}_{stem}", table) for stem, table in finding.tables.items() if len(table)]
        hidden = sum(bool(chart) for _, chart in finding.charts) - len(charts)
        found.append(FindingView(kind, finding.title, finding.summary, finding.warnings, charts, hidden, tables))
    return found


def table_view(stem: str, table: pd.DataFrame) -> TableView:
    """Return the first rows and columns of a table as text, each figure with its interval in one cell."""
    names = list(map(str, table.columns))
    bounds = _bounds(names) if names[:1] != ["row"] else {}  # raw rows have columns of the user's own
    ends = {place for pair in bounds.values() for place in pair}
    kept = [place for place in range(table.shape[1]) if place not in ends]
    head, places = table.iloc[:MAX_ROWS], kept[:MAX_COLUMNS]
    rows = [
        [(shown(row[place]), _interval(row, bounds.get(place))) for place in places]
        for row in head.itertuples(index=False, name=None)
    ]
    headings = [shown(str(table.columns[place]).replace("_", " "))[:MAX_HEADING] for place in places]
    dtypes = [table.dtypes.iloc[place] for place in places]
    numeric = [is_numeric_dtype(dtype) and not is_bool_dtype(dtype) for dtype in dtypes]
    return TableView(stem, headings, numeric, rows, len(table), len(kept))


def _bounds(names: Sequence[str]) -> dict[int, tuple[int, int]]:
    """Return the place of each figure to those of `low` and `high`, or `<figure>_low` and so on, right behind it."""
    found = {}
    for place in range(len(names) - 2):
        ends = names[place + 1], names[place + 2]
        if ends in ((f"{names[place]}_low", f"{names[place]}_high"), ("low", "high")):
            found[place] = (place + 1, place + 2)
    return found


def _interval(row: Sequence[Any], ends: tuple[int, int] | None) -> str:
    if ends is None or any(pd.isna(row[place]) for place in ends):
        return ""
    low, high = (short(float(row[place])) for place in ends)
    return f"{low} to {high}"


def figure(value: float | None, sign: str = "") -> str:
    """Return a number of four significant digits, or a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:{sign},.0f}" if abs(value) >= 1e4 else f"{value:{sign}.4g}"


def short(value: float | None, sign: str = "") -> str:
    """Return a number of three significant digits, for what is itself uncertain."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:{sign},.0f}" if abs(value) >= 1e3 else f"{value:{sign}.3g}"


def shown(value: object) -> str:
    """Return a cell as text, cut where it is long."""
    if value is None or value is pd.NA or value is pd.NaT:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return f"{int(value):,}"
    if isinstance(value, Real):
        return figure(float(value))
    text = printable(str(value))
    return text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…"


def shown_long(text: object) -> str:
    """Return a sentence as text, whole unless it is beyond reason."""
    return printable(str(text))[:MAX_SENTENCE]


def pictures(plots: Mapping[str, pd.DataFrame], curves: Mapping[str, Any]) -> list[tuple[str, Markup]]:
    """Return (caption, chart) of the training curves and of the plots of the task."""
    drawn = [("Training: does the distance between the curves grow?", line_chart(curves, "epoch", "loss"))]
    for stem, title, x, y in PICTURES:
        if stem in plots and len(plots[stem]):
            table = plots[stem].iloc[:: max(1, len(plots[stem]) // MAX_DOTS)]
            points = {"model": list(zip(table[x].tolist(), table[y].tolist(), strict=True))}
            labels = (x.replace("_", " "), y.replace("_", " "))
            chart = line_chart(points, *labels, diagonal=True, dots=stem == "predicted_vs_actual")
            drawn.append((title, chart))
    return [(title, chart) for title, chart in drawn if chart]


def regularization(settings: Mapping[str, Any]) -> list[tuple[str, bool, str]]:
    """Return name, whether it is on, and its options, of every regularizer that the settings name."""
    options: dict[str, dict[str, Any]] = {}
    for path, value in settings.items():
        section, _, rest = path.partition(".")
        name, _, option = rest.partition(".")
        if section == "regularization" and option:
            options.setdefault(name, {})[option] = value
    return [(name, _active(name, found), _listed(found)) for name, found in sorted(options.items())]


def search(trials: Sequence[Mapping[str, str]]) -> tuple[str, TableView] | None:
    """Return a sentence about the search and its best trials; None where there was none."""
    if not trials:
        return None
    states = Counter(trial.get("state", "") for trial in trials)
    done = sorted((t for t in trials if t.get("state") == "COMPLETE" and t.get("value")), key=_value)
    said = ", ".join(f"{count} {state.lower()}" for state, count in sorted(states.items()))
    names = [name for name in trials[0] if name not in TRIAL_COLUMNS][: MAX_COLUMNS - 3]
    lines = [[shown(t["number"]), _number(t["value"]), _number(t.get("epochs"))] + [_number(t.get(n)) for n in names]
             for t in done[:SEARCH]]  # fmt: skip
    rows = [[(cell, "") for cell in line] for line in lines]
    headings = ["trial", "valid loss", "epochs", *(shown(name) for name in names)]
    view = TableView("trials", headings, [True] * len(headings), rows, len(done), len(headings))
    return f"{len(trials)} trials: {said}. The best ones, by the loss on the valid rows:", view


def cost_lines(cost: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return (what, how much) of the figures of reports/cost.json that a reader asks for."""
    batch = f"{cost.get('batch_rows', 0):,.0f}"
    return [
        (label.format(batch=batch), f"{figure(cost[name])} {unit}".strip())
        for name, (label, unit) in COST_LABELS.items()
        if name in cost
    ]


def _active(name: str, options: Mapping[str, Any]) -> bool:
    if name not in REGULARIZERS:
        return False
    try:
        return REGULARIZERS[name].cls(**options).active
    except (TypeError, ValueError):
        return False


def _listed(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {'off' if value is None else shown(value)}" for name, value in sorted(options.items()))


def _value(trial: Mapping[str, str]) -> float:
    try:
        return float(trial["value"])
    except ValueError:
        return math.inf


def _number(text: str | None) -> str:
    try:
        return figure(float(text or ""))
    except ValueError:
        return shown(text or None)
