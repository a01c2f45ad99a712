"""What does the decision threshold, chosen on valid rows, achieve on test rows?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from goodfit.bundle import ThresholdRule
from goodfit.evaluation.charts import line_chart
from goodfit.evaluation.estimates import Estimate
from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject
from goodfit.evaluation.inspections.resampling import resampling_of
from goodfit.evaluation.intervals import share_interval
from goodfit.evaluation.targets import decided
from goodfit.metrics import METRICS
from goodfit.metrics.base import Weighted, weighted_mean

NUMBER = 15
SHOWN = ("precision", "recall", "f1", "balanced_accuracy")
STEPS = np.linspace(0.02, 0.98, 49)


@INSPECTIONS.register("threshold", tasks=("binary",), order=20)
class DecisionThreshold(Inspection):
    """What the decision threshold, chosen on valid by `calibration.threshold`, achieves on test, with intervals."""

    def inspect(self, subject: Subject) -> Finding:
        """Return the figures at the threshold, and by how much they differ from valid."""
        rule, threshold = subject.bundle.rule, subject.bundle.threshold
        names = [*SHOWN, *([rule.options["metric"]] if rule and rule.kind == "metric" else [])]
        costs = rule.options if rule and rule.kind == "cost" else None
        found = _estimates(subject, list(dict.fromkeys(map(str, names))), costs)
        valid = _values(subject, "valid", list(found), costs)
        lines = [(name, valid[name], e.value, e.low, e.high) for name, e in found.items()]
        table = pd.DataFrame(lines, columns=["figure", "valid", "test", "low", "high"])
        figures = {"threshold": threshold}
        for name, estimate in found.items():
            figures |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        said, warnings = _said(rule, threshold, found)
        return Finding("Decision threshold", said, {"figures": table}, (_chart(subject),), figures, warnings)


def _estimates(subject: Subject, names: list[str], costs: Mapping[str, Any] | None) -> dict[str, Estimate]:
    target, resampling = subject.targets["test"], resampling_of(subject, NUMBER)
    classes = decided(subject.predictions["test"], subject.bundle.threshold)
    samples = resampling.samples(_figures(target, classes, names, costs))
    alone = resampling.groups is None and resampling.stretches is None
    found = {name: Estimate(sample.value, *resampling.bounds(sample)) for name, sample in samples.items()}
    for name in names:
        share = METRICS[name].cls().share(target, classes)
        if share is not None and alone:
            found[name] = Estimate(found[name].value, *share_interval(*share, resampling.level))
    return found


def _values(subject: Subject, split: str, names: list[str], costs: Mapping[str, Any] | None) -> dict[str, float]:
    target = subject.targets[split]
    classes = decided(subject.predictions[split], subject.bundle.threshold)
    ones = np.ones((len(target), 1))
    metrics = [name for name in names if name in METRICS]
    return {name: float(figure(ones)[0]) for name, figure in _figures(target, classes, metrics, costs).items()}


def _figures(
    target: NDArray[Any], classes: NDArray[Any], names: list[str], costs: Mapping[str, Any] | None
) -> dict[str, Weighted]:
    figures = {name: METRICS[name].cls().weighted(target, classes) for name in names}
    if costs is not None:
        by_cell = np.array(
            [[costs["true_negative"], costs["false_positive"]], [costs["false_negative"], costs["true_positive"]]]
        )
        figures["cost"] = weighted_mean(by_cell[target, classes])
    return figures


def _said(rule: ThresholdRule | None, threshold: float, found: Mapping[str, Estimate]) -> tuple[str, list[str]]:
    if rule is None or rule.value is None:
        return f"The second class is predicted from a probability of {threshold:.3g} on, which was given.", []
    figure = str(rule.options["metric"]) if rule.kind == "metric" else rule.kind
    estimate, on_valid = found[figure], f"{rule.rows:,} valid rows"
    asked = f"{figure} of at least {rule.options['target']:g}" if "target" in rule.options else f"best {figure}"
    said = (
        f"The second class is predicted from a probability of {threshold:.3g} on, chosen for the {asked} on {on_valid} "
        f"({rule.value:.3g} there). On test, which had no part in it, {figure} is {estimate.value:.3g} "
        f"[{estimate.low:.3g}, {estimate.high:.3g}]."
    )
    if not rule.reached:
        return said, [f"The {asked} cannot be reached on the {on_valid}: the nearest is {rule.value:.3g}."]
    if "target" in rule.options and estimate.high < float(rule.options["target"]):
        return said, [f"On test {figure} is {estimate.value:.3g}, below the {asked} that the threshold was chosen for."]
    return said, []


def _chart(subject: Subject) -> tuple[str, Markup]:
    """Return precision and recall on valid by threshold: what another choice would have given up."""
    target, score = subject.targets["valid"] == 1, subject.predictions["valid"][:, 1]
    named = [score >= step for step in STEPS]
    hits = [float((target & rows).sum()) for rows in named]
    precision = [(t, h / rows.sum()) for t, h, rows in zip(STEPS, hits, named, strict=True) if rows.any()]
    recall = [(t, h / max(1, target.sum())) for t, h in zip(STEPS, hits, strict=True)]
    caption = "Precision and recall on valid, by threshold"
    return caption, line_chart({"precision": precision, "recall": recall}, "threshold", "share")
