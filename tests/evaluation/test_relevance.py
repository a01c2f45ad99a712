"""Screening of columns: a curve, a slope and a level are told from noise, and nothing degenerate is a failure."""

import numpy as np
import pytest

from goodfit.evaluation import boosting
from goodfit.evaluation.boosting import Boosting, Rows
from goodfit.evaluation.relevance import relevance
from goodfit.preprocessing import Arrays

WIDE = 60


def drawn(rows: int, classes: int, seed: int = 0) -> Rows:
    """Draw rows of 60 numbers and 20 codes of which a slope, a curve and a level decide the target."""
    rng = np.random.default_rng(seed)
    arrays = Arrays(rng.normal(size=(rows, WIDE)).astype(np.float32), rng.integers(0, 9, (rows, 20)))
    signal = arrays.numeric[:, 41] + arrays.numeric[:, 7] ** 2 + 2.0 * (arrays.categorical[:, 13] == 4)
    signal = signal + rng.normal(0, 0.5, rows)
    return Rows(
        arrays, np.digitize(signal, np.quantile(signal, np.arange(1, classes) / classes)) if classes else signal
    )


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_what_decides_comes_first(classes: int) -> None:
    rows = drawn(1500, classes)
    told = relevance(rows.arrays.numeric, rows.arrays.categorical, rows.target, classes)
    assert told.shape == (WIDE + 20,)
    assert set(np.argsort(-told)[:3]) == {41, 7, WIDE + 13}
    assert np.sort(told)[-3] > 3 * np.sort(told)[-4]


def test_many_levels_are_not_taken_for_much_to_tell() -> None:
    rng = np.random.default_rng(1)
    codes = np.stack([np.arange(500), rng.integers(0, 200, 500), rng.integers(0, 2, 500)], axis=1)
    target = np.where(rng.random(500) < 0.8, codes[:, 2], 1 - codes[:, 2])
    told = relevance(np.zeros((500, 1), np.float32), codes, target, 2)
    assert told.argmax() == 3
    assert told[:2].tolist() == [0, 0], "a constant, and a column with a level for every row"
    assert told[2] < 10 < told[3]


def test_trees_are_shown_the_columns_that_tell_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "MAX_COLUMNS", 10)
    train, valid, test = (drawn(1500, 2, seed) for seed in range(3))
    narrow = Boosting(train, valid, 2, 0)
    assert narrow.columns == 10
    assert {41, 7, WIDE + 13} <= set(narrow._shown.tolist())
    assert (narrow.predict(test.arrays).argmax(axis=1) == test.target).mean() > 0.8
