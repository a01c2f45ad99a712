"""A bound on the generalization gap."""

from collections.abc import Sequence

from goodfit.errors import Fault
from goodfit.evaluation.gates.base import GATES, Evidence, Gate, Known, Outcome, told
from goodfit.evaluation.gates.metric import metric_faults


@GATES.register("gap")
class GapGate(Gate):
    """Test must not be much worse than train.

    Options:
        metric: of which the gap is; without it, the first one.
        max: how much worse test may be, in the metric's units.
    """

    def __init__(self, *, max: float, metric: str | None = None) -> None:
        self.max, self.metric = max, metric

    def faults(self, known: Known) -> Sequence[Fault]:
        """Return a fault if the metric is not computed."""
        return metric_faults("metric", self.metric, known) if self.metric else []

    def judge(self, evidence: Evidence) -> Outcome:
        """Compare the gap with the bound."""
        metric = self.metric or evidence.evaluation.metrics[0]
        gap = evidence.evaluation.generalization_gap[metric]
        return Outcome("gap", f"generalization gap of {metric} at most {self.max:g}", told(gap), gap <= self.max)
