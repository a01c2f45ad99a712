"""reports/report.html: one file, readable on a phone, without script, network or trust in what the data say."""

import csv
import math
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from goodfit.errors import printable
from goodfit.evaluation.charts import line_chart
from goodfit.evaluation.plots import write_plots
from goodfit.evaluation.result import Evaluation
from goodfit.evaluation.verdict import verdict
from goodfit.files import remove, write_text
from goodfit.metrics import METRICS
from goodfit.stage import failpoint

CURVES = ("train/loss", "valid/loss")
MAX_CLASSES = 30
"""A confusion matrix of more classes is no longer readable, and is left to reports/evaluation/confusion.csv."""
MAX_DOTS = 1000
PICTURES = (
    ("roc", "ROC curve", "false_positive_rate", "true_positive_rate"),
    ("calibration", "Calibration: said and come true", "predicted", "observed"),
    ("predicted_vs_actual", "Predicted and actual", "predicted", "actual"),
)


def write_reports(folder: Path, evaluation: Evaluation, settings: Mapping[str, Any]) -> None:
    """Write evaluation/*.csv and report.html into `folder`; training.csv there, if any, gives the training curves.

    Args:
        folder: the project's `reports`.
        evaluation: what was found.
        settings: dotted parameter to value, as resolved.
    """
    remove(folder / "evaluation")
    write_plots(folder / "evaluation", evaluation.plots)
    failpoint("evaluate.plots")  # the tables are there, the report is not
    write_text(folder / "report.html", render_report(evaluation, settings, read_curves(folder / "training.csv")))


def render_report(evaluation: Evaluation, settings: Mapping[str, Any], curves: Mapping[str, Any]) -> str:
    """Return the page; equal evaluations give equal pages.

    Args:
        evaluation: what was found.
        settings: dotted parameter to value.
        curves: name to (epoch, value) pairs.
    """
    # `html` autoescapes whatever it is given; only charts.py makes Markup
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {"figure": _figure, "shown": _shown}
    template = page.from_string(_packaged("report.html.jinja"))
    style = Markup(_packaged("report.css"))
    return template.render(
        evaluation=evaluation,
        verdict=verdict(evaluation),
        facts={name: METRICS[name].facts for name in evaluation.metrics},
        settings=sorted(settings.items()),
        charts=_charts(evaluation.plots, curves),
        confusion=evaluation.confusion if len(evaluation.classes) <= MAX_CLASSES else [],
        style=style,
        style_digest=b64encode(sha256(style.encode()).digest()).decode(),
    )


def read_curves(path: Path) -> dict[str, list[tuple[float, float]]]:
    """Return train and valid loss by epoch from training.csv; nothing if it is not there."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    pairs = {name: [(float(row["epoch"]), float(row[name] or "nan")) for row in rows if name in row] for name in CURVES}
    return {name: [point for point in points if math.isfinite(point[1])] for name, points in pairs.items()}


def _charts(plots: Mapping[str, pd.DataFrame], curves: Mapping[str, Any]) -> list[tuple[str, Markup]]:
    drawn = [("Training: does the distance between the curves grow?", line_chart(curves, "epoch", "loss"))]
    for stem, title, x, y in PICTURES:
        if stem in plots:
            table = plots[stem].iloc[:: max(1, len(plots[stem]) // MAX_DOTS)]
            points = {"model": list(zip(table[x].tolist(), table[y].tolist(), strict=True))}
            labels = (x.replace("_", " "), y.replace("_", " "))
            chart = line_chart(points, *labels, diagonal=True, dots=stem == "predicted_vs_actual")
            drawn.append((title, chart))
    return [(title, chart) for title, chart in drawn if chart]


def _figure(value: float, sign: str = "") -> str:
    return "–" if math.isnan(value) else f"{value:{sign}.4g}"


def _shown(value: object) -> str:
    return "off" if value is None else printable(str(value))


def _packaged(name: str) -> str:
    return (files("goodfit.evaluation") / name).read_text(encoding="utf-8")
