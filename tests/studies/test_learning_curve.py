"""A learning curve falls where more rows help, and says so only then."""

from collections.abc import Callable

import numpy as np
import pytest

from goodfit.evaluation import LearningCurveSection
from goodfit.studies import Chosen, learning_curve
from goodfit.studies.learning_curve import _part, last_gain, shown
from goodfit.studies.training import Result

Make = Callable[..., Chosen]


@pytest.mark.parametrize("target", ["churn", "price"])
def test_the_curve_falls_with_more_rows(make: Make, target: str) -> None:
    section = LearningCurveSection(seeds=3, shares=[0.2, 1.0])
    finding = learning_curve(make(target, training={"epochs": 10}), section)
    table = finding.tables["curve"]
    assert table["train_rows"].tolist() == [32, 160]
    assert table["loss"][0] > table["loss"][1]
    assert finding.figures["last_gain"] == pytest.approx(table["loss"][0] - table["loss"][1])
    assert finding.figures["loss_at_160"] == table["loss"][1]
    assert (table["failed"] == 0).all()
    assert "svg" in finding.charts[0][1]


def test_smaller_shares_are_parts_of_larger_ones_and_each_seed_has_its_own(make: Make) -> None:
    chosen = make()
    parts = {(size, number): set(_raw(chosen, size, number)) for size in (40, 80) for number in (0, 1)}
    assert parts[40, 0] < parts[80, 0]
    assert parts[40, 1] < parts[80, 1]
    assert parts[40, 0] != parts[40, 1]


def _raw(chosen: Chosen, size: int, number: int) -> list[float]:
    data = _part(chosen, size, number)
    back = data.preprocessor
    wanted = back.transform(chosen.train.frame).numeric
    known = {tuple(row): value for row, value in zip(wanted.tolist(), chosen.train.frame["x0"].tolist(), strict=True)}
    return [known[tuple(row)] for row in data.train.numeric.tolist()]


def test_shares_smaller_than_a_batch_are_left_out(make: Make) -> None:
    chosen = make(training={"batch_size": 100})
    finding = learning_curve(chosen, LearningCurveSection(seeds=2, shares=[0.1, 0.2, 1.0]))
    assert finding.summary.startswith("Fewer than two of the shares of 160 train rows hold a batch of 100 rows")
    assert not finding.tables


def test_the_answer_follows_the_interval_of_the_last_step() -> None:
    section = LearningCurveSection(seeds=3)

    def answer(gains: list[float]) -> str:
        results = {10: [Result(1.0, 0.1)] * 3, 20: [Result(0.5 + g, 0.1) for g in gains], 40: [Result(0.5, 0.1)] * 3}
        gain = last_gain(results, 0.95)
        assert gain.value == pytest.approx(np.mean(gains))
        return shown(results, section).summary

    assert answer([0.1, 0.11, 0.12]).startswith("More rows would probably help. From 20 to 40 train rows")
    assert answer([-0.1, 0.0, 0.1]).startswith("It is not shown")
    assert answer([-0.1, -0.11, -0.12]).startswith("More rows of this kind would probably not help")


def test_a_training_that_diverged_is_left_out_and_counted() -> None:
    results = {
        10: [Result(1.0, 0.1), None, Result(1.2, 0.1)],
        20: [Result(0.9, 0.1), Result(0.8, 0.1), Result(1.0, 0.1)],
    }
    finding = shown(results, LearningCurveSection(seeds=3))
    assert finding.tables["curve"]["failed"].tolist() == [1, 0]
    assert finding.figures["last_gain"] == pytest.approx(0.15)
