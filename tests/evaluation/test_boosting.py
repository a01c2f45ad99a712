"""The boosted baseline: it learns what a linear model cannot, is bounded, and equal to the bit however many threads."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from goodfit.evaluation import boosting
from goodfit.evaluation.boosting import Boosting, Rows
from goodfit.preprocessing import Arrays


def rows(count: int, classes: int, seed: int = 0, levels: int = 4) -> Rows:
    """Draw rows whose target is a curve in the first number and a step in the second code."""
    rng = np.random.default_rng(seed)
    arrays = Arrays(rng.normal(size=(count, 3)).astype(np.float32), rng.integers(0, levels, (count, 2)))
    signal = arrays.numeric[:, 0] ** 2 + 2.0 * (arrays.categorical[:, 1] % 4 == 2) + rng.normal(0, 0.3, count)
    target = np.digitize(signal, np.linspace(0.5, 2, classes - 1)) if classes else 1000 + 50 * signal
    return Rows(arrays, target)


@pytest.mark.parametrize("classes", [2, 3])
def test_classes_are_told_apart_where_a_line_cannot(classes: int) -> None:
    test = rows(500, classes, 2)
    said = Boosting(rows(2000, classes), rows(500, classes, 1), classes, 0).predict(test.arrays)
    assert said.shape == (500, classes)
    assert np.allclose(said.sum(axis=1), 1)
    assert (said.argmax(axis=1) == test.target).mean() > 0.8


def test_values_come_in_the_target_s_units() -> None:
    test = rows(500, 0, 2)
    said = Boosting(rows(2000, 0), rows(500, 0, 1), 0, 0).predict(test.arrays)
    assert np.square(said - test.target).mean() < 0.2 * test.target.var()


def test_valid_chooses_the_setting_and_the_rounds() -> None:
    train = rows(400, 2)
    contrary = Rows(train.arrays, 1 - train.target)
    assert Boosting(train, rows(500, 2, 1), 2, 0).setting["max_iter"] > 5
    assert Boosting(contrary, rows(500, 2, 1), 2, 0).setting["max_iter"] == 1


def test_many_rows_and_many_codes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "MAX_FIT_ROWS", 1200)
    monkeypatch.setattr(boosting, "MAX_TUNE_ROWS", 300)
    train, test = rows(3000, 2, levels=2000), rows(3000, 2, 2, levels=4000)
    one, same = (Boosting(train, rows(500, 2, 1, levels=2000), 2, 7) for _ in range(2))
    assert one.rows == 1200
    assert np.array_equal(one.predict(test.arrays), same.predict(test.arrays))
    assert one._design(test.arrays)[:, 3:].max() < boosting.MAX_LEVELS


def test_a_hundred_classes_get_few_trees() -> None:
    fitted = Boosting(rows(3000, 100), rows(500, 100, 1), 100, 0)
    assert fitted.setting["max_iter"] <= boosting.FEWEST_ROUNDS
    assert fitted.predict(rows(50, 100, 2).arrays).shape == (50, 100)


def test_one_class_one_value_and_no_column_are_no_failure() -> None:
    empty = Arrays(np.zeros((20, 0), np.float32), np.zeros((20, 0), np.int64))
    one = Rows(empty, np.ones(20, np.int64))
    assert Boosting(one, one, 2, 0).predict(empty) == pytest.approx(np.tile([0.0, 1.0], (20, 1)))
    two = Rows(empty, np.repeat([0, 1], [5, 15]))
    assert Boosting(two, two, 2, 0).predict(empty) == pytest.approx(np.tile([0.25, 0.75], (20, 1)))
    values = Rows(empty, np.repeat([1.0, 3.0], 10))
    assert Boosting(values, values, 0, 0).predict(empty) == pytest.approx(np.full(20, 2.0))
    flat = Rows(rows(20, 0).arrays, np.full(20, 3.0))
    assert Boosting(flat, flat, 0, 0).predict(flat.arrays) == pytest.approx(np.full(20, 3.0))


PROGRAM = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from test_boosting import Boosting, rows
said = Boosting(rows(3000, 3), rows(500, 3, 1), 3, 0).predict(rows(500, 3, 2).arrays)
print(hashlib.sha256(said.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_threads_change_no_bit() -> None:
    folder = str(Path(__file__).parent)
    said = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, folder],
            env={**os.environ, "OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    }
    assert len(said) == 1
    assert len(said.pop().strip()) == 64
