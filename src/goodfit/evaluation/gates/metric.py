"""A bound on a metric of the model."""

from collections.abc import Sequence
from typing import Any, Literal

from goodfit.errors import Fault
from goodfit.evaluation.gates.base import (
    GATES,
    BoundedGate,
    End,
    Evidence,
    Known,
    Outcome,
    end_of,
    named,
    told,
    unknown,
)


@GATES.register("metric")
class MetricGate(BoundedGate):
    """A bound on a metric, or on an end of its interval, so that chance alone cannot pass the model.

    Options:
        name: the metric; it must be among evaluate.metrics.
        split: the rows it is of.
        end: value, or the low or high end of its interval.
    """

    def __init__(
        self,
        *,
        name: str,
        split: Literal["train", "valid", "test"] = "test",
        end: End = "value",
        **bounds: Any,
    ) -> None:
        super().__init__(**bounds)
        self.name, self.split, self.end = name, split, end

    def faults(self, known: Known) -> Sequence[Fault]:
        """Return a fault if the metric is not computed."""
        return metric_faults("name", self.name, known)

    def judge(self, evidence: Evidence) -> Outcome:
        """Compare the figure with the bounds."""
        asked = f"{named(self.end)}{self.name} on {self.split} {self.bounds}"
        if self.split == "valid" and self.split in evidence.evaluation.seen:
            return Outcome("metric", asked, "rows that the model was trained on: ask of split test", False)
        value = end_of(evidence.evaluation.splits[self.split][self.name], self.end)
        return Outcome("metric", asked, told(value), self.within(value))


def metric_faults(option: str, name: str, known: Known) -> list[Fault]:
    """Return a fault if a metric is named that is not computed."""
    if known.metrics is None:
        return []
    remedy = f"Name it in evaluate.metrics, or take one of: {', '.join(known.metrics)}."
    return unknown(option, name, known.metrics, "metric that is computed", remedy)
