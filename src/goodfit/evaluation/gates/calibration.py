"""A bound on how far probabilities are off, or on how much less than claimed prediction intervals hold."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from goodfit.errors import Fault
from goodfit.evaluation.gates.base import GATES, End, Evidence, Gate, Known, Outcome, named, told

INSPECTION = "calibration"
ENDS = {"value": "", "low": "_low", "high": "_high"}


@GATES.register("calibration")
class CalibrationGate(Gate):
    """Probabilities must mean what they say, and prediction intervals hold what they claim, on the test rows.

    Options:
        max: the expected calibration error at most, or for regression the shortfall of the intervals' coverage.
        end: value, or an end of its interval; of a coverage the low end is the bad one.
    """

    def __init__(self, *, max: Annotated[float, Field(ge=0, le=1)], end: End = "value") -> None:
        self.max, self.end = max, end

    def faults(self, known: Known) -> Sequence[Fault]:
        """Return a fault if the inspection is switched off."""
        if INSPECTION in known.inspections:
            return []
        return [Fault("kind", "needs evaluate.calibration, which is off", INSPECTION, "Switch it on.")]

    def judge(self, evidence: Evidence) -> Outcome:
        """Compare the error with the bound."""
        finding = evidence.evaluation.inspected.findings.get(INSPECTION)
        figures = finding.figures if finding else {}
        suffix = ENDS[self.end]
        if evidence.evaluation.task == "regression":
            asked = f"coverage of the prediction intervals at most {self.max:g} below what they claim"
            shortfall = figures.get("coverage_nominal", float("nan")) - figures.get(f"coverage{suffix}", float("nan"))
            return Outcome("calibration", asked, told(shortfall), shortfall <= self.max)
        error = figures.get(f"ece{suffix}", float("nan"))
        asked = f"{named(self.end)}expected calibration error at most {self.max:g}"
        return Outcome("calibration", asked, told(error), error <= self.max)
