"""A bound on a figure that an inspection found."""

from collections.abc import Sequence
from typing import Any

from goodfit.errors import Fault, suggestion
from goodfit.evaluation.gates.base import GATES, BoundedGate, Evidence, Known, Outcome, told, unknown


@GATES.register("finding")
class FindingGate(BoundedGate):
    """A bound on any figure of an inspection, as metrics.json names it under `inspections`.

    Options:
        inspection: which one; it must be switched on.
        figure: its dotted name. A figure that is not there fails the gate.
    """

    def __init__(self, *, inspection: str, figure: str, **bounds: Any) -> None:
        super().__init__(**bounds)
        self.inspection, self.figure = inspection, figure

    def faults(self, known: Known) -> Sequence[Fault]:
        """Return a fault if the inspection is unknown or off."""
        remedy = f"{suggestion(self.inspection, known.inspections)} Switched-off ones give no figures."
        return unknown("inspection", self.inspection, known.inspections, "inspection that is on", remedy)

    def judge(self, evidence: Evidence) -> Outcome:
        """Compare the figure with the bounds."""
        asked = f"{self.figure} of {self.inspection} {self.bounds}"
        finding = evidence.evaluation.inspected.findings.get(self.inspection)
        if finding is None or self.figure not in finding.figures:
            there = ", ".join(sorted(finding.figures)) if finding else "none"
            return Outcome("finding", asked, f"no such figure; there are: {there}", False)
        value = finding.figures[self.figure]
        return Outcome("finding", asked, told(value), self.within(value))
