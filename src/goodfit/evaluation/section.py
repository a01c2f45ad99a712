"""The `evaluate` section of params.yaml."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from goodfit.data import Task
from goodfit.errors import ConfigurationError, Fault, suggestion
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.card_section import CardSection
from goodfit.evaluation.gates import GATES, Gate, Known
from goodfit.evaluation.inspections import INSPECTIONS
from goodfit.evaluation.result import BASELINES
from goodfit.evaluation.studies_section import AblationSection, AsSwitch, LearningCurveSection
from goodfit.metrics import METRICS

PLACE = "params.yaml: evaluate.metrics"
GATES_PLACE = "params.yaml: evaluate.gates"
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
        gates: conditions that the model must meet, each a `kind` and its options; a failed one ends the stage with
            exit code 6, after everything is written.
        card: what the model card says in words.
        ablation: what each regularizer is worth; true switches it on.
        learning_curve: whether more data would help; true switches it on.
    """

    metrics: Annotated[
        list[Annotated[str, AfterValidator(_known)]] | None, Field(min_length=1), AfterValidator(_unique)
    ] = None
    bootstrap: BootstrapSection = BootstrapSection()
    gates: list[GATES.section()] = []  # type: ignore[valid-type]
    card: CardSection = CardSection()
    ablation: Annotated[AblationSection, AsSwitch] = AblationSection()
    learning_curve: Annotated[LearningCurveSection, AsSwitch] = LearningCurveSection()


def check_section(section: EvaluateSection, task: Task | None) -> None:
    """Check what the section names, as far as it can be known: all at once, before anything is computed.

    Args:
        section: the `evaluate` section.
        task: None while it is to be inferred from data that have not been read.

    Raises:
        ConfigurationError: a metric does not fit the task, or a gate names what is not there.
    """
    faults = _metric_faults(section, task) if task else []
    metrics = section.metrics or (DEFAULTS[task] if task else None)
    on = [kind for kind in INSPECTIONS if getattr(section, kind).enabled and _fits(kind, task)]
    known = Known(metrics, BASELINES, on)
    for number, options in enumerate(section.gates):
        for fault in GATES.build(options).faults(known):
            faults.append(Fault(f"{GATES_PLACE}.{number}.{fault.place}", fault.rule, fault.value, fault.remedy))
    if faults:
        raise ConfigurationError(faults)


def chosen_metrics(section: EvaluateSection, task: Task) -> tuple[str, ...]:
    """Return the metrics to compute, in order; `check_section` says whether they fit."""
    return tuple(section.metrics or DEFAULTS[task])


def built_gates(section: EvaluateSection) -> list[Gate]:
    """Return the gates of the section."""
    return [GATES.build(options) for options in section.gates]


def _fits(kind: str, task: Task | None) -> bool:
    return task is None or task in INSPECTIONS[kind].facts["tasks"]


def _metric_faults(section: EvaluateSection, task: Task) -> list[Fault]:
    fitting = [name for name in METRICS if task in METRICS[name].facts["tasks"]]
    return [
        Fault(PLACE, f"does not fit the task {task}", name, f"Metrics that fit: {', '.join(fitting)}.")
        for name in section.metrics or ()
        if name not in fitting
    ]
