"""The model against a baseline, on the same rows."""

from collections.abc import Sequence
from typing import Literal

from goodfit.errors import Fault, suggestion
from goodfit.evaluation.gates.base import GATES, Evidence, Gate, Known, Outcome, told, unknown
from goodfit.evaluation.gates.metric import metric_faults
from goodfit.metrics import METRICS


@GATES.register("baseline")
class BaselineGate(Gate):
    """The model must be better than a baseline by a margin, by the paired interval on the test rows.

    Options:
        name: the baseline.
        metric: by which metric; without it, the first one.
        margin: how much better at least, in the metric's units; a negative one allows the model to be that much worse.
        end: low asks it of the whole interval, value of the difference itself.
    """

    def __init__(
        self, *, name: str, metric: str | None = None, margin: float = 0.0, end: Literal["low", "value"] = "low"
    ) -> None:
        self.name, self.metric, self.margin, self.end = name, metric, margin, end

    def faults(self, known: Known) -> Sequence[Fault]:
        """Return a fault for a baseline or a metric that is not there."""
        wrong = unknown("name", self.name, known.baselines, "baseline", suggestion(self.name, known.baselines))
        return wrong + (metric_faults("metric", self.metric, known) if self.metric else [])

    def judge(self, evidence: Evidence) -> Outcome:
        """Compare the advantage with the margin."""
        metric = self.metric or evidence.evaluation.metrics[0]
        compared = evidence.evaluation.comparison.get(self.name, {}).get(metric)
        words = f"{self.margin:g}" if self.margin else "0"
        whole = "the whole interval of " if self.end == "low" else ""
        asked = f"{whole}the advantage over {self.name} by {metric} more than {words}"
        if compared is None:
            return Outcome("baseline", asked, "not computed", False)
        minimize = METRICS[metric].facts["direction"] == "minimize"
        worst = -compared.high if minimize else compared.low
        advantage = worst if self.end == "low" else (-compared.difference if minimize else compared.difference)
        return Outcome("baseline", asked, told(advantage), advantage > self.margin)
