"""Write what an evaluation found: tables, pictures and the page."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from goodfit.evaluation.estimates import finite
from goodfit.evaluation.inspections import Finding
from goodfit.evaluation.page.context import Context
from goodfit.evaluation.page.report import render_report
from goodfit.evaluation.plots import write_plots, write_table
from goodfit.evaluation.result import Evaluation
from goodfit.files import remove, write_json, write_text
from goodfit.stage import failpoint


def write_reports(folder: Path, evaluation: Evaluation, context: Context) -> None:
    """Write evaluation/*.csv, evaluation/*.svg and report.html into `folder`.

    Args:
        folder: the project's `reports`.
        evaluation: what was found.
        context: what else stands on the page.
    """
    remove(folder / "evaluation")
    write_plots(folder / "evaluation", evaluation.plots)
    for kind, finding in evaluation.inspected.findings.items():
        write_finding(folder / "evaluation", kind, finding)
    for stem, table in (("table_metrics", _metrics(evaluation)), ("table_baselines", _baselines(evaluation))):
        write_json(folder / "evaluation" / f"{stem}.json", table)
    failpoint("evaluate.plots")  # the tables are there, the report is not
    write_text(folder / "report.html", render_report(evaluation, context))


def write_finding(folder: Path, kind: str, finding: Finding) -> None:
    """Write a finding's tables as CSV, and its charts as pictures that show by themselves."""
    style = (files("goodfit.evaluation") / "report.css").read_text(encoding="utf-8")
    for stem, table in finding.tables.items():
        write_table(folder / f"{kind}_{stem}.csv", table)
    for number, (_, chart) in enumerate(finding.charts, start=1):
        if chart:
            write_text(folder / f"{kind}_{number}.svg", _alone(chart, style))


def _alone(chart: str, style: str) -> str:
    """Return a chart as a file of its own, with the page's style in it."""
    start, rest = str(chart).split(">", 1)
    return f'{start} xmlns="http://www.w3.org/2000/svg" width="640"><style>{style}</style>{rest}\n'


def _metrics(evaluation: Evaluation) -> dict[str, Any]:
    """Return every figure as a table in the form that MLflow's interface shows.

    Its view of several runs groups by the first column, which therefore names a row by itself, and compares the first
    column of text behind it, else the first of numbers.
    """
    rows = [
        [f"{split}/{name}", *_readable(estimate.to_dict().values())]
        for split, estimates in evaluation.splits.items()
        for name, estimate in estimates.items()
    ]
    return {"columns": ["figure", "value", "low", "high"], "data": rows}


def _baselines(evaluation: Evaluation) -> dict[str, Any]:
    rows = [
        [
            f"{baseline}/{name}",
            *_readable([compared.difference, compared.low, compared.high, evaluation.baselines[baseline][name].value]),
            *_readable([compared.probability_better]),
            compared.finding,
        ]
        for baseline, comparison in evaluation.comparison.items()
        for name, compared in comparison.items()
    ]
    names = ["figure", "model_minus_baseline", "low", "high", "value", "probability_better", "finding"]
    return {"columns": names, "data": rows}


def _readable(values: Iterable[float | None]) -> list[float | None]:
    """Return numbers of six digits, which the interface shows as they are; metrics.json has them all."""
    return [None if value is None or finite(value) is None else float(f"{value:.6g}") for value in values]
