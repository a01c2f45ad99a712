"""A bound on how large the model is."""

from typing import Annotated

from pydantic import Field

from goodfit.evaluation.gates.base import GATES, Evidence, Gate, Outcome


@GATES.register("size")
class SizeGate(Gate):
    """The model must be small enough.

    Options:
        max_mb: megabytes of the bundle at most.
        max_parameters: weights at most.
    """

    def __init__(
        self, *, max_mb: Annotated[float, Field(gt=0)], max_parameters: Annotated[int, Field(ge=1)] | None = None
    ) -> None:
        self.max_mb, self.max_parameters = max_mb, max_parameters

    def judge(self, evidence: Evidence) -> Outcome:
        """Compare the sizes with the bounds."""
        parameters, size = evidence.cost["parameters"], evidence.cost["bundle_mb"]
        asked, passed = f"at most {self.max_mb:g} MB", size <= self.max_mb
        if self.max_parameters is not None:
            asked += f" and {self.max_parameters:,} parameters"
            passed = passed and parameters <= self.max_parameters
        return Outcome("size", asked, f"{size:.3g} MB, {parameters:,.0f} parameters", passed)
