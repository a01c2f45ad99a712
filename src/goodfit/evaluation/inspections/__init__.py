"""Inspections: questions asked of a judged model. A new one is a file here and a line below."""

from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject  # isort: skip

from goodfit.evaluation.inspections import cost as cost
from goodfit.evaluation.inspections import explanations as explanations

__all__ = ["INSPECTIONS", "Finding", "Inspection", "Subject"]
