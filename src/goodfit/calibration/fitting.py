"""Fit temperature, threshold and intervals of a trained model on valid rows."""

from dataclasses import replace

import torch

from goodfit.bundle import Bundle
from goodfit.calibration.conformal import fitted_interval
from goodfit.calibration.section import CalibrationSection
from goodfit.calibration.temperature import fitted_temperature
from goodfit.data import Table
from goodfit.errors import ConfigurationError, Fault
from goodfit.preprocessing.targets import finite_numbers
from goodfit.tasks import task_named
from goodfit.thresholds import THRESHOLDS, rule_of

PLACE = "params.yaml: calibration.threshold"


def check_calibration(section: CalibrationSection, task: str) -> None:
    """Refuse a rule for the threshold where there is none.

    Raises:
        ConfigurationError: the task is not binary, and the threshold is not the fixed default.
    """
    if task == "binary" or section.threshold == THRESHOLDS["fixed"].options():
        return
    rule = f"needs a binary target, and this one is {task}"
    kind = section.threshold.model_dump()["kind"]
    raise ConfigurationError([Fault(PLACE, rule, kind, "Remove it; without two classes nothing has a threshold.")])


def calibrated(bundle: Bundle, valid: Table, section: CalibrationSection) -> Bundle:
    """Return the bundle with temperature, threshold and intervals fitted on the valid rows.

    Args:
        bundle: as trained.
        valid: raw rows with their target; they trained no weight.
        section: what is fitted, and how.

    Raises:
        ConfigurationError: see `check_calibration`.
    """
    check_calibration(section, bundle.task)
    if bundle.task == "regression":
        return _with_interval(bundle, valid, section)
    target = bundle.preprocessor.encode_target(valid.frame)
    logits = bundle.logits(valid.frame)
    if section.temperature:
        losses = task_named(bundle.task).row_losses
        bundle = replace(bundle, temperature=fitted_temperature(logits, torch.from_numpy(target), losses))
    if bundle.task != "binary":
        return bundle
    rule, threshold = rule_of(section.threshold, target == 1, bundle.answers_to(logits)[:, 1])
    return replace(bundle, threshold=threshold, rule=rule)


def _with_interval(bundle: Bundle, valid: Table, section: CalibrationSection) -> Bundle:
    if section.coverage is None:
        return bundle
    name = bundle.schema.target.name
    target = finite_numbers(name, valid.frame[name])
    return replace(
        bundle, interval=fitted_interval(target, bundle.predict(valid.frame), section.coverage, section.bins)
    )
