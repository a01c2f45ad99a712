"""A bound on how large the model is."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from goodfit.errors import Fault
from goodfit.evaluation.gates.base import GATES, Evidence, Gate, Outcome


@GATES.register("size")
class SizeGate(Gate):
    """The model must be small enough.

    Options:
        max_parameters: weights at most.
        max_mb: megabytes of the bundle at most.
    """

    def __init__(
        self,
        *,
        max_parameters: Annotated[int, Field(ge=1)] | None = None,
        max_mb: Annotated[float, Field(gt=0)] | None = None,
    ) -> None:
        self.max_parameters, self.max_mb = max_parameters, max_mb

    @staticmethod
    def check_options(options: Any) -> Iterator[Fault]:
        """Yield a fault unless there is a bound."""
        if options.max_parameters is None and options.max_mb is None:
            yield Fault("max_mb", "gives no bound", None, "Set max_parameters, max_mb or both.")

    def judge(self, evidence: Evidence) -> Outcome:
        """Compare the sizes with the bounds."""
        parameters, size = evidence.cost["parameters"], evidence.cost["bundle_mb"]
        asked, passed = [], True
        if self.max_parameters is not None:
            asked.append(f"at most {self.max_parameters:,} parameters")
            passed = passed and parameters <= self.max_parameters
        if self.max_mb is not None:
            asked.append(f"at most {self.max_mb:g} MB")
            passed = passed and size <= self.max_mb
        return Outcome("size", " and ".join(asked), f"{parameters:,.0f} parameters, {size:.3g} MB", passed)
