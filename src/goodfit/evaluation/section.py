"""The `evaluate` section of params.yaml."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from goodfit.data import Task
from goodfit.errors import ConfigurationError, Fault, suggestion
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.inspections import INSPECTIONS
from goodfit.metrics import METRICS

PLACE = "params.yaml: evaluate.metrics"
DEFAULTS: dict[Task, tuple[str, ...]] = {
    "binary": (
        "log_loss",
        "roc_auc",
        "average_precision",
        "brier",
        "accuracy",
        "balanced_accuracy",
        "f1",
    ),
    "multiclass": ("log_loss", "roc_auc", "brier", "accuracy", "balanced_accuracy", "macro_f1"),
    "regression": ("rmse", "mae", "median_absolute_error", "r2"),
}
"""The metrics of a task when `evaluate.metrics` names none; the first one gives the verdict."""


def _known(name: str) -> str:
    if name not in METRICS:
        raise ValueError(f"unknown metric. {suggestion(name, METRICS).rstrip('.')}")
    return name


def _unique(names: Any) -> Any:
    twice = sorted({name for name in names or () if names.count(name) > 1})
    if twice:
        raise ValueError(f"names a metric twice: {', '.join(twice)}")
    return names


class EvaluateSection(INSPECTIONS.fields()):  # type: ignore[misc]  # made at run time, from the registry
    """The `evaluate` section of params.yaml.

    Options:
        metrics: names of metrics, the one that gives the verdict first; without it the task's usual ones.
        bootstrap: how the intervals are made.
    """

    metrics: Annotated[
        list[Annotated[str, AfterValidator(_known)]] | None, Field(min_length=1), AfterValidator(_unique)
    ] = None
    bootstrap: BootstrapSection = BootstrapSection()


def chosen_metrics(section: EvaluateSection, task: Task) -> tuple[str, ...]:
    """Return the metrics to compute, in order.

    Raises:
        ConfigurationError: a named metric does not fit the task.
    """
    names = tuple(section.metrics or DEFAULTS[task])
    fitting = [name for name in METRICS if task in METRICS[name].facts["tasks"]]
    faults = [
        Fault(PLACE, f"does not fit the task {task}", name, f"Metrics that fit: {', '.join(fitting)}.")
        for name in names
        if name not in fitting
    ]
    if faults:
        raise ConfigurationError(faults)
    return names
