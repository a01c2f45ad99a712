"""Judge a model on every split, and beside its baselines on the test rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.bundle import Bundle
from goodfit.data import Table
from goodfit.evaluation.baselines import baseline_answers
from goodfit.evaluation.inspecting import inspect_all, refuse_misfits
from goodfit.evaluation.inspections import Subject
from goodfit.evaluation.judging import MODEL, Answers, Judged, judge
from goodfit.evaluation.ordering import follow_in_time, stretches_of
from goodfit.evaluation.plots import confusion_counts, plot_tables
from goodfit.evaluation.protocols import Parts, Predictor
from goodfit.evaluation.result import BASELINES, SPLITS, Evaluation
from goodfit.evaluation.section import EvaluateSection, check_section, chosen_metrics
from goodfit.evaluation.targets import THRESHOLD, decided, groups_of, predicted, target_values
from goodfit.metrics import METRICS
from goodfit.thresholds import threshold_by

SEEN = (
    "the model was trained on these rows too (train.refit): what is measured or confirmed on them says nothing of "
    "new rows; test does"
)


def evaluate(bundle: Bundle, parts: Parts, section: EvaluateSection, seed: int) -> Evaluation:
    """Judge a model on train, valid and test.

    Args:
        bundle: answers for raw rows; its preprocessor's arrays are what the baselines see.
        parts: the splits; the baselines are fitted on train and judged, like the comparison, on test.
        section: which metrics, and how the intervals are made.
        seed: of the resamples.

    Raises:
        ConfigurationError: a metric does not fit the task.
        DataError: a target is missing, infinite or of an unknown class, or the model predicts NaN.
    """
    check_section(section, bundle.schema.task)
    refuse_misfits(section, bundle.schema, bundle.preprocessor)
    metrics = chosen_metrics(section, bundle.schema.task)
    tables: dict[str, Table] = {split: getattr(parts, split) for split in SPLITS}
    targets = {split: target_values(bundle, table) for split, table in tables.items()}
    predictions = {split: predicted(bundle, table, split) for split, table in tables.items()}
    groups = {split: groups_of(table) for split, table in tables.items()}
    about = (bundle, bundle.schema, bundle.schema.task, seed, tables, targets, predictions, groups)
    subject = Subject(*about, metrics[0], section.bootstrap)
    said = {split: {MODEL: prediction} for split, prediction in predictions.items()}
    others, notes = baseline_answers(bundle.preprocessor, tables, targets, len(bundle.schema.classes), seed)
    said["test"] |= others["test"]
    thresholds = {**_thresholds(bundle, targets["valid"], others["valid"]), MODEL: bundle.threshold}
    in_time = follow_in_time(tables)
    order = {s: stretches_of(tables[s], targets[s], predictions[s]) if in_time else None for s in SPLITS}
    answers = {s: Answers(targets[s], groups[s], said[s], thresholds, order[s]) for s in SPLITS}
    judged = {s: judge(answers[s], metrics, section.bootstrap, (seed, i)) for i, s in enumerate(SPLITS)}
    notes |= _notes(judged, metrics, BASELINES)
    if "valid" in bundle.trained_on:
        notes["valid"] = SEEN
    return Evaluation(
        task=bundle.schema.task,
        classes=bundle.schema.classes,
        metrics=metrics,
        rows={split: len(table) for split, table in tables.items()},
        resamples=section.bootstrap.resamples,
        level=section.bootstrap.level,
        splits={split: {name: result.estimate(MODEL, name) for name in metrics} for split, result in judged.items()},
        generalization_gap={name: _gap(judged, name) for name in metrics},
        baselines={other: {name: judged["test"].estimate(other, name) for name in metrics} for other in BASELINES},
        comparison={other: {name: judged["test"].against(other, name) for name in metrics} for other in BASELINES},
        notes=notes,
        inspected=inspect_all(subject, section),
        schema=bundle.schema,
        seen=bundle.trained_on,
        **_pictures(bundle, answers["test"]),
    )


def _thresholds(bundle: Predictor, target: NDArray[Any], said: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Return the baselines' thresholds, chosen on valid rows by the model's rule: like decisions are compared."""
    rule = bundle.rule
    if rule is None or bundle.schema.task != "binary":
        return dict.fromkeys(said, THRESHOLD)
    return {name: threshold_by(rule, target == 1, prediction[:, 1]) for name, prediction in said.items()}


def _gap(judged: Mapping[str, Judged], name: str) -> float:
    """Return how much worse test is than train: positive is worse."""
    train, test = (judged[split].values[MODEL, name] for split in ("train", "test"))
    return test - train if METRICS[name].facts["direction"] == "minimize" else train - test


def _notes(judged: Mapping[str, Judged], metrics: tuple[str, ...], others: tuple[str, ...]) -> dict[str, str]:
    places = [(split, result, MODEL) for split, result in judged.items()]
    places += [(f"baselines.{other}", judged["test"], other) for other in others]
    found = {f"{place}.{name}": result.note(whose, name) for place, result, whose in places for name in metrics}
    return {place: note for place, note in found.items() if note}


def _pictures(bundle: Predictor, answers: Answers) -> dict[str, Any]:
    schema, target, said = bundle.schema, answers.target, answers.said[MODEL]
    if schema.task == "regression":
        return {"plots": plot_tables(schema, target, said, None)}
    classes = decided(said, bundle.threshold)
    plots = plot_tables(schema, target, said, classes)
    return {"plots": plots, "confusion": confusion_counts(target, classes, len(schema.classes))}
