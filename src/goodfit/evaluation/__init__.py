"""Judge a model honestly: metrics with intervals on every split, the gap, and baselines on the same rows."""

from goodfit.evaluation.decision import Decision, decide
from goodfit.evaluation.estimates import Comparison, Estimate, compare
from goodfit.evaluation.gates import GATES, Evidence, Outcome
from goodfit.evaluation.inspections import INSPECTIONS, Finding
from goodfit.evaluation.measuring import evaluate
from goodfit.evaluation.page import (
    Context,
    read_context,
    render_comparison,
    render_finding,
    render_report,
    write_finding,
    write_reports,
)
from goodfit.evaluation.result import Evaluation
from goodfit.evaluation.screen import render_table, show_table
from goodfit.evaluation.section import EvaluateSection, built_gates, check_section, chosen_metrics
from goodfit.evaluation.studies_section import AblationSection, LearningCurveSection
from goodfit.evaluation.timing import measure_cost
from goodfit.evaluation.verdict import verdict
from goodfit.evaluation.versus import Contender, Versus, compare_models

__all__ = [
    "GATES",
    "INSPECTIONS",
    "AblationSection",
    "Comparison",
    "Contender",
    "Context",
    "Decision",
    "Estimate",
    "EvaluateSection",
    "Evaluation",
    "Evidence",
    "Finding",
    "LearningCurveSection",
    "Outcome",
    "Versus",
    "built_gates",
    "check_section",
    "chosen_metrics",
    "compare",
    "compare_models",
    "decide",
    "evaluate",
    "measure_cost",
    "read_context",
    "render_comparison",
    "render_finding",
    "render_report",
    "render_table",
    "show_table",
    "verdict",
    "write_finding",
    "write_reports",
]
