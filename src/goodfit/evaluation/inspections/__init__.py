"""Inspections: questions asked of a judged model. A new one is a file here and a line below."""

from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject  # isort: skip

from goodfit.evaluation.inspections import behaviour as behaviour
from goodfit.evaluation.inspections import calibration as calibration
from goodfit.evaluation.inspections import cost as cost
from goodfit.evaluation.inspections import ensemble as ensemble
from goodfit.evaluation.inspections import explanations as explanations
from goodfit.evaluation.inspections import mistakes as mistakes
from goodfit.evaluation.inspections import robustness as robustness
from goodfit.evaluation.inspections import slices as slices
from goodfit.evaluation.inspections import threshold as threshold

__all__ = ["INSPECTIONS", "Finding", "Inspection", "Subject"]
