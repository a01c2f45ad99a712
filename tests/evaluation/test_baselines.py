"""The baselines: what scikit-learn's estimators say on the same arrays, bounded, without warnings."""

import time

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from goodfit.evaluation import baselines
from goodfit.evaluation.baselines import Dummy, Linear
from goodfit.preprocessing import Arrays


def arrays(rows: int, seed: int = 0, columns: int = 3) -> Arrays:
    rng = np.random.default_rng(seed)
    numeric = rng.normal(3, 10, (rows, columns)).astype(np.float32)
    return Arrays(numeric, rng.integers(0, 4, (rows, 2)))


def answers(rows: Arrays, classes: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    signal = (rows.numeric[:, 0] - 3) / 10 + (rows.categorical[:, 1] == 2) + rng.normal(0, 0.5, len(rows))
    return np.digitize(signal, np.linspace(-1, 1, classes - 1)) if classes else 100 + 50 * signal


def design(fitted: Arrays, rows: Arrays) -> np.ndarray:
    numbers = StandardScaler().fit(fitted.numeric.astype(float)).transform(rows.numeric.astype(float))
    codes = OneHotEncoder(sparse_output=False, handle_unknown="ignore").fit(fitted.categorical)
    return np.hstack([numbers, codes.transform(rows.categorical)])


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_linear_baseline_is_the_textbook_one(classes: int) -> None:
    train, test = arrays(400), arrays(100, seed=2)
    target = answers(train, classes)
    said = Linear(train, target, classes, seed=0).predict(test)
    if classes:
        textbook = (
            LogisticRegression(max_iter=2000).fit(design(train, train), target).predict_proba(design(train, test))
        )
    else:
        scaled = (target - target.mean()) / target.std()
        textbook = Ridge().fit(design(train, train), scaled).predict(design(train, test)) * target.std() + target.mean()
    assert said.shape == textbook.shape
    assert np.allclose(said, textbook, atol=2e-3 * np.abs(textbook).max())


def test_levels_and_classes_unseen_in_train_are_no_failure() -> None:
    train = Arrays(np.zeros((6, 0), np.float32), np.array([[0], [0], [1], [1], [0], [1]]))
    linear = Linear(train, np.array([0, 0, 2, 2, 0, 2]), 3, seed=0)
    said = linear.predict(Arrays(np.zeros((2, 0), np.float32), np.array([[1], [9]])))
    assert said.shape == (2, 3)
    assert (said[:, 1] == 0).all()
    assert np.allclose(said.sum(axis=1), 1)


def test_a_constant_column_and_numbers_alone_are_no_failure() -> None:
    train = Arrays(np.ones((8, 1), np.float32), np.zeros((8, 0), np.int64))
    assert Linear(train, np.arange(8.0), 0, seed=0).predict(train) == pytest.approx(np.full(8, 3.5))
    assert Linear(train, np.full(8, 2.0), 0, seed=0).predict(train) == pytest.approx(np.full(8, 2.0))


def test_many_rows_are_stood_for_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MAX_FIT_ROWS", 300)
    monkeypatch.setattr(baselines, "ROWS_AT_A_TIME", 7)
    train = arrays(2000)
    target = answers(train, 2)
    one, same, other = (Linear(train, target, 2, seed).predict(train) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.shape == (2000, 2)


def test_wide_rows_are_sampled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MAX_FIT_ENTRIES", 100 * 42)
    train = arrays(1000, columns=40)
    assert len(baselines._sample(train, 0)) == 100  # type: ignore[arg-type]


def test_too_few_steps_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    train = arrays(200)
    assert Linear(train, answers(train, 2), 2, seed=0).converged
    monkeypatch.setattr(baselines, "MAX_STEPS", 1)
    assert not Linear(train, answers(train, 2), 2, seed=0).converged


def test_the_dummy_answers_shares_and_means() -> None:
    rows = arrays(5)
    assert Dummy(np.array([0, 2, 2, 2]), 3).predict(rows) == pytest.approx(np.tile([0.25, 0, 0.75], (5, 1)))
    assert Dummy(np.array([1.0, 2.0, 6.0]), 0).predict(rows) == pytest.approx(np.full(5, 3.0))


@pytest.mark.slow
def test_a_million_rows_take_seconds() -> None:
    train = arrays(1_000_000, columns=20)
    start = time.perf_counter()
    linear = Linear(train, answers(train, 2), 2, seed=0)
    linear.predict(train)
    assert linear.converged
    assert time.perf_counter() - start < 30
