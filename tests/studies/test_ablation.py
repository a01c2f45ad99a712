"""An ablation says what is known: what helps helps, what harms harms, by seed and with Student's interval."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from goodfit.errors import DataError
from goodfit.evaluation import AblationSection, Estimate, EvaluateSection
from goodfit.params import check
from goodfit.regularizers import RegularizationSection
from goodfit.studies import Chosen, ablate, chosen_model
from goodfit.studies.ablation import ALL, Worth, removals, shown, without, worth
from goodfit.studies.interval import mean_interval
from goodfit.studies.training import Result, Variant, trained
from goodfit.training import TrainingData, derived, fit

Make = Callable[..., Chosen]
QUICK = AblationSection(seeds=3)


def found(make: Make, regularization: dict[str, Any], **training: Any) -> dict[str, dict[str, Any]]:
    finding = ablate(make(regularization=regularization, training=training), QUICK)
    return {row["without"]: row for row in finding.tables["worth"].to_dict("records")}


def test_early_stopping_helps_a_network_that_overfits(make: Make) -> None:
    rows = found(make, {"early_stopping": {"patience": 3}}, epochs=40, optimizer={"kind": "adamw", "lr": 0.03})
    row = rows["early_stopping"]
    assert row["shown"] == "helps"
    assert 0 < row["loss_low"] <= row["loss"] <= row["loss_high"]
    assert row["gap"] > 0, "and the gap is wider without it"


def test_early_stopping_is_said_to_be_judged_by_its_own_rows(make: Make) -> None:
    on, off = {"early_stopping": {"patience": 3}}, {"dropout": {"p": 0.1}}
    said = [ablate(make(regularization=section), QUICK).summary for section in (on | off, off)]
    assert ["early_stopping is flattered" in one for one in said] == [True, False]


def test_a_decay_that_leaves_no_weight_harms(make: Make) -> None:
    rows = found(make, {"weight_decay": {"strength": 60}, "early_stopping": {"patience": 5}}, epochs=8)
    assert rows["weight_decay"]["shown"] == "harms"
    assert rows["weight_decay"]["loss"] < -0.05
    assert list(rows) == ["early_stopping", "weight_decay", ALL], "the most helpful first, all of them last"


def test_each_training_is_the_one_that_fit_makes(make: Make) -> None:
    chosen = make(regularization={"dropout": {"p": 0.3}})
    data = TrainingData.of(chosen.train, chosen.valid, chosen.recipe.training.preprocessing)
    results = trained({"": Variant(chosen.recipe, [data] * 2)}, 1, None)[""]
    for number, result in enumerate(results):
        alone = fit(chosen.recipe, data, seed=derived(1, "study", number), state=None, progress=False)
        assert result is not None
        assert result.valid == pytest.approx(alone.valid_loss, abs=1e-5)
    assert results[0] != results[1]


def test_a_regression_is_judged_in_one_unit_whatever_rows_it_was_trained_on(make: Make) -> None:
    chosen = make("price", regularization={})
    data = TrainingData.of(chosen.train, chosen.valid, chosen.recipe.training.preprocessing)
    deviation = data.preprocessor.target.deviation  # type: ignore[union-attr]
    own, other = (trained({"": Variant(chosen.recipe, [data] * 2)}, 1, None, s)[""][0] for s in (deviation, 2.0))
    assert own is not None
    assert other is not None
    alone = fit(chosen.recipe, data, seed=derived(1, "study", 0), state=None, progress=False)
    assert own.valid == pytest.approx(alone.valid_loss, abs=1e-5)
    assert other.valid == pytest.approx(own.valid * (deviation / 2) ** 2)
    assert other.gap == pytest.approx(own.gap * (deviation / 2) ** 2)


def test_what_acts_through_another_goes_with_it() -> None:
    settings = {"skip_connections": {"enabled": True}, "shake_drop": {"p": 0.3}, "dropout": {"p": 0.1}}
    section = RegularizationSection.model_validate(settings)
    gone = removals(section)
    assert gone == {
        "dropout": ("dropout",),
        "shake_drop": ("shake_drop",),
        "skip_connections and shake_drop": ("skip_connections", "shake_drop"),
        ALL: ("dropout", "shake_drop", "skip_connections"),
    }
    for kinds in gone.values():  # each is a section that params.yaml could hold
        RegularizationSection.model_validate(without(section, kinds).model_dump())
    assert removals(without(section, gone[ALL])) == {}


def test_intervals_hold_together(make: Make) -> None:
    settings = {"dropout": {"p": 0.3}, "mixup": {"alpha": 0.2}, "swa": {"enabled": True}}
    rows = found(make, settings)
    assert len(rows) == 4, "so each is at the level that leaves a quarter of the chance to err"
    recipe = (chosen := make(regularization=settings)).recipe
    data = [TrainingData.of(chosen.train, chosen.valid, recipe.training.preprocessing)] * QUICK.seeds
    less = replace(recipe, regularization=without(recipe.regularization, ["dropout"]))
    results = trained({"with": Variant(recipe, data), "without": Variant(less, data)}, chosen.sections.seed, None)
    expected = worth("dropout", results["with"], results["without"], 1 - 0.05 / 4).loss
    assert rows["dropout"]["loss_low"] == pytest.approx(expected.low, abs=1e-4)
    assert rows["dropout"]["loss_high"] == pytest.approx(expected.high, abs=1e-4)


def test_what_changes_nothing_has_no_effect() -> None:
    same = [Result(1.0, 0.1), Result(2.0, 0.2)]
    assert worth("swa", same, same, 0.95).finding == "no effect"


def test_without_regularizers_there_is_nothing_to_leave_out(make: Make) -> None:
    finding = ablate(make(regularization={}), QUICK)
    assert finding.summary.startswith("No regularizer is active")
    assert finding.figures == {}


def test_intervals_are_students() -> None:
    found = mean_interval([1.0, 2.0, 3.0], 0.95)
    assert found.value == 2
    assert (found.low, found.high) == (pytest.approx(2 - 2.484138), pytest.approx(2 + 2.484138))
    assert math.isnan(mean_interval([1.0], 0.95).low)
    assert math.isnan(mean_interval([], 0.95).value)


def test_differences_are_by_seed_and_failures_are_counted() -> None:
    whole = [Result(1.0, 0.1), Result(2.0, 0.2), Result(3.0, 0.3), None]
    less = [Result(1.1, 0.1), Result(2.1, 0.2), None, Result(9.0, 0.0)]
    seen = worth("swa", whole, less, 0.95)
    assert (seen.loss.value, seen.loss.low, seen.gap.value, seen.failed) == (
        pytest.approx(0.1),
        pytest.approx(0.1),
        0,
        1,
    )
    assert seen.finding == "helps"
    lost = worth("swa", whole, [None] * 4, 0.95)
    assert (lost.finding, lost.failed) == ("not shown", 4)


def test_a_finding_says_what_the_intervals_show() -> None:
    def one(name: str, *loss: float) -> Worth:
        return Worth(name, Estimate(*loss), Estimate(0.1, -0.1, 0.3), 0)

    worths = [
        one("dropout", -0.2, -0.3, -0.1),
        one("swa", 0.0, -0.1, 0.1),
        one("ema", 0.3, 0.2, 0.4),
        one(ALL, 1, 0.9, 1.1),
    ]
    finding = shown(worths, [Result(0.5, 0.02), Result(0.7, 0.04)], QUICK)
    assert finding.summary.startswith("Shown to help on the valid rows: ema; shown to harm: dropout.")
    assert "loss on valid is 0.6, +0.03 against train" in finding.summary
    table = finding.tables["worth"]
    assert table["without"].tolist() == ["ema", "swa", "dropout", ALL]
    assert table["shown"].tolist() == ["helps", "not shown", "harms", "helps"]
    assert finding.figures["ema"] == 0.3
    assert finding.figures["all_of_them_low"] == 0.9
    assert finding.figures["dropout.gap_high"] == 0.3
    assert len(finding.charts) == 2
    assert all("svg" in chart for _, chart in finding.charts)


def test_true_stands_for_the_section() -> None:
    section = check({"ablation": True, "learning_curve": True}, EvaluateSection, "params.yaml: evaluate")
    assert section.ablation.enabled
    assert section.learning_curve.enabled
    assert not check({"ablation": {"seeds": 3}}, EvaluateSection, "").ablation.enabled
    with pytest.raises(Exception, match=r"ablation\.seeds: .*greater than or equal to 2"):
        check({"ablation": {"seeds": 1}}, EvaluateSection, "")


def test_without_a_record_there_is_nothing_chosen(make: Make) -> None:
    chosen = make()
    with pytest.raises(DataError, match=r"run\.json.*Run the pipeline first"):
        chosen_model(None, chosen.train, chosen.valid)
