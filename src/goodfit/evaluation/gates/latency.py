"""A bound on how long an answer takes."""

from typing import Annotated, Literal

from pydantic import Field

from goodfit.evaluation.gates.base import GATES, Evidence, Gate, Outcome


@GATES.register("latency")
class LatencyGate(Gate):
    """The model must answer fast enough on this machine; raw rows in, predictions out.

    Options:
        of: row asks for the time of a single row, batch for that of a batch of evaluate.cost.batch rows.
        max_ms: milliseconds at most.
        quantile: median, or p95, which 95 of 100 calls keep.
    """

    def __init__(
        self,
        *,
        max_ms: Annotated[float, Field(gt=0)],
        of: Literal["row", "batch"] = "row",
        quantile: Literal["median", "p95"] = "median",
    ) -> None:
        self.max_ms, self.of, self.quantile = max_ms, of, quantile

    def judge(self, evidence: Evidence) -> Outcome:
        """Compare the measured time with the bound."""
        asked = f"{self.quantile} time of a {self.of} at most {self.max_ms:g} ms"
        found = evidence.cost.get(f"latency_{self.of}_{self.quantile}_ms")
        if found is None:
            return Outcome("latency", asked, "not measured: evaluate.cost is off", False)
        return Outcome("latency", asked, f"{found:.3g} ms", found <= self.max_ms)
