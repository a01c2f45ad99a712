"""The one page: reports/report.html, and the same for two models."""

from goodfit.evaluation.page.context import Context, read_context
from goodfit.evaluation.page.report import render_comparison, render_finding, render_report
from goodfit.evaluation.page.writing import write_finding, write_reports

__all__ = [
    "Context",
    "read_context",
    "render_comparison",
    "render_finding",
    "render_report",
    "write_finding",
    "write_reports",
]
