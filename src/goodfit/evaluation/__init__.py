"""Judge a model honestly: metrics with intervals on every split, the gap, and baselines on the same rows."""

from goodfit.evaluation.estimates import Comparison, Estimate, compare
from goodfit.evaluation.measuring import evaluate
from goodfit.evaluation.report import render_report, write_reports
from goodfit.evaluation.result import Evaluation
from goodfit.evaluation.screen import render_table, show_table
from goodfit.evaluation.section import EvaluateSection, chosen_metrics
from goodfit.evaluation.verdict import verdict

__all__ = [
    "Comparison",
    "Estimate",
    "EvaluateSection",
    "Evaluation",
    "chosen_metrics",
    "compare",
    "evaluate",
    "render_report",
    "render_table",
    "show_table",
    "verdict",
    "write_reports",
]
