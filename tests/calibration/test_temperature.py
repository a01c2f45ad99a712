"""One temperature undoes overconfidence, and ranks nothing anew."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from goodfit.calibration import CalibrationSection, calibrated
from goodfit.calibration.temperature import BOUNDS, fitted_temperature, smoothed
from goodfit.evaluation.reliability import adaptive_bins, calibration_error, confidence, sharpened
from goodfit.tasks import task_named

SECTION = CalibrationSection()


def error(bundle, table) -> float:
    target = bundle.preprocessor.encode_target(table.frame)
    said, true = confidence(target, bundle.predict(table.frame))
    return float(calibration_error(said, true, adaptive_bins(said, 15))(np.ones((len(said), 1)))[0])


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("sharpness", [0.3, 3.0, 8.0])
def test_it_finds_how_much_too_sure_a_model_is(made, task: str, sharpness: float) -> None:
    bundle, valid, test = made(task, sharpness)
    after = calibrated(bundle, valid, SECTION)
    assert after.temperature == pytest.approx(sharpness, rel=0.15)
    assert error(after, test) < 0.6 * error(bundle, test)
    assert error(after, test) < 0.035


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_it_ranks_nothing_anew(made, task: str) -> None:
    """Not even where single precision takes all of the sure rows for equally sure."""
    bundle, valid, test = made(task, 40.0)
    after = calibrated(bundle, valid, SECTION)
    before, softened = bundle.predict(test.frame), after.predict(test.frame)
    assert after.temperature > 10
    assert (before.argmax(axis=1) == softened.argmax(axis=1)).all()
    if task == "binary":
        order = np.argsort(softened[:, 1], kind="stable")
        assert (np.diff(before[order, 1]) >= 0).all()
        assert (np.diff(bundle.logits(test.frame).numpy()[order, 0]) >= 0).all()


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_what_was_said_before_can_be_told_from_what_is_said(made, task: str) -> None:
    bundle, _, test = made(task, 2.0)
    after = replace(bundle, temperature=2.5)
    assert sharpened(after.predict(test.frame), 2.5) == pytest.approx(bundle.predict(test.frame), abs=1e-9)


def test_a_model_that_is_right_about_itself_is_left_nearly_alone_and_never_made_worse(made) -> None:
    bundle, valid, _ = made("binary", 1.0)
    assert calibrated(bundle, valid, SECTION).temperature == pytest.approx(1, abs=0.15)
    losses = task_named("binary").row_losses
    assert fitted_temperature(torch.zeros(4, 1), torch.tensor([1, 0, 1, 0]), losses) == 1


@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 3)])
@pytest.mark.parametrize("each", [1, 20, 500])
def test_rows_that_are_separated_perfectly_claim_no_more_than_their_number_allows(
    task: str, classes: int, each: int
) -> None:
    """Without smoothing the lowest temperature that is allowed would win, and one mistake later cost all."""
    target = torch.arange(classes).repeat(each)
    logits = torch.where(target == 1, 3.0, -3.0)[:, None] if classes == 2 else 6.0 * torch.eye(classes)[target]
    rule = task_named(task)
    found = fitted_temperature(logits, target, rule.row_losses)
    said = rule.predict(logits.double() / found).gather(1, target[:, None])
    assert found > 2 * BOUNDS[0]
    assert said.numpy() == pytest.approx((each + 1) / (each + classes), abs=1e-3)


def test_smoothed_targets_are_laplace_s_rule() -> None:
    found = smoothed(torch.tensor([0, 0, 0, 2]), 3)
    assert found[0].tolist() == pytest.approx([4 / 6, 1 / 6, 1 / 6])
    assert found[3].tolist() == pytest.approx([1 / 4, 1 / 4, 2 / 4])
    assert found.sum(dim=1).tolist() == pytest.approx([1] * 4)


def test_it_can_be_switched_off(made) -> None:
    bundle, valid, _ = made("binary", 5.0)
    assert calibrated(bundle, valid, CalibrationSection(temperature=False)).temperature == 1
