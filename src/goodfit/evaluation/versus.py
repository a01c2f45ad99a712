"""Two models on the same test rows: which is better, by how much, and how sure is it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from goodfit.bundle import Bundle
from goodfit.data import Table
from goodfit.errors import ConfigurationError, Fault
from goodfit.evaluation.estimates import Comparison, Estimate
from goodfit.evaluation.judging import MODEL, Answers, judge
from goodfit.evaluation.ordering import stretches_of
from goodfit.evaluation.section import EvaluateSection, check_section, chosen_metrics
from goodfit.evaluation.targets import groups_of, predicted, target_values

OTHER = "other"


@dataclass(frozen=True)
class Contender:
    """One of two models.

    Args:
        name: a run's id or a folder.
        bundle: the model.
        settings: dotted parameter to value as text.
        warnings: why the comparison may not be fair to the other.
    """

    name: str
    bundle: Bundle
    settings: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Versus:
    """What a comparison found; `first` and `second` are the contenders.

    Args:
        metrics: names, the one that gives the verdict first.
        estimates: metric to the figures of the first and the second model.
        comparison: metric to the first model against the second, paired on the rows.
        rows: number of test rows.
        differing: rows for which the two decide differently; None for regression.
        level: of the intervals.
        settings: dotted parameter to the two values, where they differ.
    """

    first: Contender
    second: Contender
    metrics: tuple[str, ...]
    estimates: Mapping[str, tuple[Estimate, Estimate]]
    comparison: Mapping[str, Comparison]
    rows: int
    differing: int | None
    level: float
    settings: Mapping[str, tuple[str, str]]

    @property
    def headline(self) -> str:
        """Return which model is better by the first metric."""
        metric = self.metrics[0]
        finding = self.comparison[metric].finding
        better, worse = {"better": ("first", "second"), "worse": ("second", "first")}.get(finding, ("", ""))
        return (
            f"The {better} model is better than the {worse} by {metric}."
            if better
            else (f"No difference is shown by {metric}.")
        )

    @property
    def others(self) -> str:
        """Return which is better by the other metrics, as far as it is shown; empty where none of them shows it."""
        said = []
        for finding, who in (("better", "first"), ("worse", "second")):
            names = [name for name in self.metrics[1:] if self.comparison[name].finding == finding]
            said += [f"The {who} is better by {', '.join(names)}."] if names else []
        return " ".join(said)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Return what should be known before the figures are believed."""
        said = [*self.first.warnings, *self.second.warnings]
        low, high = self.first.bundle.threshold, self.second.bundle.threshold
        if self.first.bundle.task == "binary" and low != high:
            rule = f"The first decides from a probability of {low:.3g} on, the second from {high:.3g}"
            said.append(f"{rule}: figures of decisions, such as accuracy, differ by that too.")
        if not self.differing and all(c.difference == c.low == c.high == 0 for c in self.comparison.values()):
            said.append("They answer alike on every row: it may be one model.")
        return tuple(said)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-able values."""
        return {
            "first": self.first.name,
            "second": self.second.name,
            "rows": self.rows,
            "headline": self.headline,
            "others": self.others,
            "differing": self.differing,
            "metrics": {
                name: {
                    "first": self.estimates[name][0].to_dict(),
                    "second": self.estimates[name][1].to_dict(),
                    "first_minus_second": self.comparison[name].to_dict(),
                }
                for name in self.metrics
            },
            "warnings": list(self.cautions),
        }


def compare_models(
    first: Contender, second: Contender, test: Table, section: EvaluateSection, seed: int, *, in_time: bool = False
) -> Versus:
    """Judge two models on the same rows.

    Args:
        first, second: the models.
        test: the rows.
        section: which metrics, and how the intervals are made.
        seed: of the resamples.
        in_time: draw rows that follow each other in the schema's time column together, as after a split by time.

    Raises:
        ConfigurationError: they do not answer the same question.
        DataError: the rows do not fit one of them.
    """
    _check_question(first.bundle, second.bundle)
    task = first.bundle.schema.task
    check_section(section, task)
    metrics = chosen_metrics(section, task)
    target = target_values(first.bundle, test)
    said = {MODEL: predicted(first.bundle, test, "test"), OTHER: predicted(second.bundle, test, "test")}
    thresholds = {MODEL: first.bundle.threshold, OTHER: second.bundle.threshold}
    orders = [stretches_of(test, target, one) for one in said.values()] if in_time else []
    order = max(orders, key=lambda one: one.length, default=None)  # as long as either model's losses remember
    judged = judge(Answers(target, groups_of(test), said, thresholds, order), metrics, section.bootstrap, (seed, 2))
    decisions = [bundle.decide(said[who]) for bundle, who in ((first.bundle, MODEL), (second.bundle, OTHER))]
    return Versus(
        first,
        second,
        metrics,
        {name: (judged.estimate(MODEL, name), judged.estimate(OTHER, name)) for name in metrics},
        {name: judged.against(OTHER, name) for name in metrics},
        len(test),
        None if task == "regression" else int(np.count_nonzero(decisions[0] != decisions[1])),
        section.bootstrap.level,
        _differences(first.settings, second.settings),
    )


def _check_question(first: Bundle, second: Bundle) -> None:
    asked = [(bundle.schema.target.name, bundle.schema.task, bundle.schema.classes) for bundle in (first, second)]
    if asked[0] == asked[1]:
        return
    told = " and ".join(f"{task} of '{target}' ({len(classes)} classes)" for target, task, classes in asked)
    remedy = "Compare models with the same target, task and classes."
    raise ConfigurationError([Fault("compare", f"needs two answers to one question, not {told}", None, remedy)])


def _differences(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    names = sorted({*first, *second})
    return {n: (first.get(n, "–"), second.get(n, "–")) for n in names if first.get(n, "–") != second.get(n, "–")}
