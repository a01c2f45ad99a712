"""Inspections: questions asked of a judged model. A new one is a file here and a line below."""

from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject  # isort: skip

__all__ = ["INSPECTIONS", "Finding", "Inspection", "Subject"]
