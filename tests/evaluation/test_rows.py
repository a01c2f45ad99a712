"""Single rows: planted label errors are among the first listed, lists name rows that can be looked up."""

import numpy as np
import pandas as pd
import pytest

from goodfit.data import Column, Schema, Table
from goodfit.evaluation.boosting import Rows
from goodfit.evaluation.rows import listed, out_of_fold, suspects, worst_rows
from goodfit.evaluation.rows.out_of_fold import FOLDS
from goodfit.evaluation.rows.worst import confident_mistakes
from goodfit.preprocessing import Arrays


def mislabelled(rows: int, classes: int, seed: int) -> tuple[Rows, np.ndarray]:
    """Draw rows with 3 % planted errors: another class, or a value far off; return them and which they are."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 4)).astype(np.float32)
    signal = numbers[:, 0] + numbers[:, 1] ** 2
    bad = rng.random(rows) < 0.03
    if classes:
        target = np.digitize(signal + rng.normal(0, 0.15, rows), np.linspace(0, 2, classes - 1))
        target[bad] = (target[bad] + rng.integers(1, classes, bad.sum())) % classes
    else:
        target = 100 + 10 * signal + rng.normal(0, 3, rows)
        target[bad] += rng.choice([-1, 1], bad.sum()) * rng.uniform(15, 40, bad.sum())
    return Rows(Arrays(numbers, np.zeros((rows, 0), np.int64)), target), bad


@pytest.mark.parametrize("classes", [0, 2, 4])
@pytest.mark.parametrize("seed", [1, 2])
def test_half_of_the_planted_label_errors_are_in_the_top_twentieth(classes: int, seed: int) -> None:
    rows, bad = mislabelled(2000, classes, seed)
    found = suspects(rows.target, out_of_fold(rows, classes, seed))
    first = np.argsort(-found.score, kind="stable")[:100]
    assert bad[first].sum() >= 0.5 * bad.sum()
    assert found.suspect[first[:20]].all()


def test_clean_labels_of_a_sure_model_are_not_suspect() -> None:
    target = np.repeat([0, 1, 2], 50)
    said = np.full((150, 3), 0.02)
    said[np.arange(150), target] = 0.96
    assert not suspects(target, said).suspect.any()
    target[7] = 2
    found = suspects(target, said)
    assert found.score.argmax() == 7
    assert found.instead[7] == 0
    assert found.suspect.sum() == 1


def test_no_row_is_judged_by_trees_that_saw_it_or_its_group() -> None:
    """Targets are pure noise, so that only a leak could predict them."""
    rng = np.random.default_rng(0)
    ids = np.arange(600) // 4
    numbers = rng.normal(size=(150, 3)).astype(np.float32)[ids]
    rows = Rows(Arrays(numbers, np.zeros((600, 0), np.int64)), rng.normal(size=150)[ids])
    said = out_of_fold(rows, 0, 1, ids)
    assert abs(np.corrcoef(said, rows.target)[0, 1]) < 0.35
    assert FOLDS >= 3
    leaky = out_of_fold(rows, 0, 1)
    assert np.corrcoef(leaky, rows.target)[0, 1] > 0.5, "the groups are what keeps them apart"


def test_the_worst_rows_are_the_least_expected_ones() -> None:
    said = np.array([[0.9, 0.1], [0.05, 0.95], [0.5, 0.5], [0.99, 0.01]])
    assert worst_rows(np.array([0, 0, 0, 1]), said, 2).tolist() == [3, 1]
    assert worst_rows(np.array([1.0, 5.0, 2.0]), np.array([1.0, 1.0, 5.0]), 2).tolist() == [1, 2]
    wrong, foretold = confident_mistakes(np.array([0, 0, 0, 1]), said)
    assert wrong.tolist() == [False, True, False, True]
    assert foretold == pytest.approx(0.1 + 0.05 + 0.01)


def test_a_list_names_ids_and_keeps_columns_of_equal_name_apart() -> None:
    columns = [
        Column("key", "categorical", "id"),
        Column("row", "numeric", "feature"),
        Column("y", "numeric", "target"),
    ]
    hostile = "<script>alert(1)</script>"
    table = Table(
        pd.DataFrame({"key": ["a", "b", hostile], "row": [7, 8, 9], "y": [1.0, 2.0, 3.0]}),
        Schema(tuple(columns), "regression"),
    )
    shown = listed(table, np.array([2, 0]), {"predicted": [3.5, 1.5]})
    assert list(shown.columns) == ["row", "key", "predicted", "y", "row (column)"]
    assert shown["key"].tolist() == [hostile, "a"], "escaping is the page's work"
    assert shown["row"].tolist() == [2, 0]
    assert shown["row (column)"].tolist() == [9, 7]
