"""The baselines that a network has to beat: a constant answer, a linear model and trees, on the same preprocessed rows.

They are fitted on train; the trees (boosting.py) are tuned on valid.
"""

import warnings
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from goodfit.data import Table
from goodfit.evaluation.boosting import Boosting, Rows
from goodfit.evaluation.protocols import Preprocessor
from goodfit.evaluation.result import BASELINES
from goodfit.preprocessing import Arrays

MAX_FIT_ROWS = 200_000
MAX_FIT_ENTRIES = 20_000_000
"""A linear model has learned all it can from that many rows or matrix entries; more would only cost time and memory."""
ROWS_AT_A_TIME = 100_000
MAX_STEPS = 1000


class Baseline(Protocol):
    """A fitted baseline."""

    def predict(self, arrays: Arrays) -> NDArray[np.float64]:
        """Return probabilities [n, k], or values [n] in target units."""


def baseline_answers(
    preprocessor: Preprocessor,
    tables: Mapping[str, Table],
    targets: Mapping[str, NDArray[Any]],
    classes: int,
    seed: int,
) -> tuple[dict[str, dict[str, NDArray[np.float64]]], dict[str, str]]:
    """Fit the baselines; return their answers for the valid and the test rows, by split and name, and notes by place.

    Args:
        preprocessor: the model's; the baselines see what it makes of raw rows.
        tables, targets: split to raw rows and to class indices or values in target units.
        classes: number of classes; 0 for regression.
        seed: of the samples that stand for many rows.
    """
    arrays = {split: preprocessor.transform(table.frame) for split, table in tables.items()}
    train, valid = (Rows(arrays[split], targets[split]) for split in ("train", "valid"))
    linear = Linear(train.arrays, train.target, classes, seed)
    boosting = Boosting(train, valid, classes, seed)
    members: tuple[Baseline, ...] = (Dummy(train.target, classes), linear, boosting)
    notes = {} if linear.converged else {"baselines.linear": "stopped before it had converged"}
    for name, rows in (("linear", linear.rows), ("boosting", boosting.rows)):
        if rows < len(train.target):
            more = f"{notes[f'baselines.{name}']}; " if f"baselines.{name}" in notes else ""
            notes[f"baselines.{name}"] = f"{more}learned from a sample of {rows:,} of {len(train.target):,} train rows"
    columns = train.arrays.numeric.shape[1] + train.arrays.categorical.shape[1]
    if boosting.columns < columns:
        more = f"{notes['baselines.boosting']}; " if "baselines.boosting" in notes else ""
        rule = f"saw {boosting.columns:,} of {columns:,} preprocessed columns, those that tell most in the train rows"
        notes["baselines.boosting"] = f"{more}{rule}"
    named = dict(zip(BASELINES, members, strict=True))
    said = {split: {name: one.predict(arrays[split]) for name, one in named.items()} for split in ("valid", "test")}
    return said, notes


class Dummy:
    """The same answer for every row: the classes' shares in the train rows, or the train rows' mean."""

    def __init__(self, target: NDArray[Any], classes: int) -> None:
        shares = np.bincount(target, minlength=classes) / len(target) if classes else np.mean(target)
        self.answer: NDArray[np.float64] = np.asarray(shares)

    def predict(self, arrays: Arrays) -> NDArray[np.float64]:
        """Return the answer once per row: [n, k] or [n]."""
        return np.broadcast_to(self.answer, (len(arrays.numeric), *self.answer.shape))


class Linear:
    """Logistic regression, or ridge regression, on standardized numbers and one-hot codes (penalty 1).

    Args:
        arrays: preprocessed train rows.
        target: class indices, or values in target units, [n].
        classes: number of classes; 0 for regression.
        seed: of the sample that stands for more rows than MAX_FIT_ROWS.
    """

    def __init__(self, arrays: Arrays, target: NDArray[Any], classes: int, seed: int) -> None:
        rows = _sample(arrays, seed)
        numeric = arrays.numeric[rows].astype(np.float64)
        self._classes = classes
        self._mean, spread = numeric.mean(axis=0), numeric.std(axis=0)
        self._scale = np.where(spread > 0, spread, 1.0)
        self._levels = arrays.categorical.max(axis=0, initial=-1) + 1
        self.converged = True
        self.rows = len(numeric)
        self._fit(self._design(arrays.numeric[rows], arrays.categorical[rows]), target[rows])

    def predict(self, arrays: Arrays) -> NDArray[np.float64]:
        """Return probabilities [n, k], or values [n] in target units."""
        starts = range(0, max(1, len(arrays.numeric)), ROWS_AT_A_TIME)
        blocks = [slice(start, start + ROWS_AT_A_TIME) for start in starts]
        return np.concatenate([self._answer(arrays.numeric[rows], arrays.categorical[rows]) for rows in blocks])

    def _fit(self, design: csr_array, target: NDArray[Any]) -> None:
        if not self._classes:
            self._target_mean, self._target_scale = target.mean(), target.std() or 1.0
            self._model = Ridge(alpha=1.0).fit(design, (target - self._target_mean) / self._target_scale)
            return
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            self._model = LogisticRegression(C=1.0, max_iter=MAX_STEPS).fit(design, target)
        self.converged = not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)

    def _answer(self, numeric: NDArray[Any], categorical: NDArray[Any]) -> NDArray[np.float64]:
        design = self._design(numeric, categorical)
        if not self._classes:
            return np.asarray(self._model.predict(design) * self._target_scale + self._target_mean)
        probability = np.zeros((len(numeric), self._classes))
        probability[:, self._model.classes_] = self._model.predict_proba(design)
        return probability

    def _design(self, numeric: NDArray[Any], categorical: NDArray[Any]) -> csr_array:
        """Return standardized numbers and one-hot codes side by side; a code unseen in train has no column."""
        numbers = csr_array((numeric.astype(np.float64) - self._mean) / self._scale)
        known = categorical < self._levels
        columns = (categorical + np.cumsum(self._levels) - self._levels)[known]
        ends = np.concatenate([[0], np.cumsum(known.sum(axis=1))])
        codes = csr_array((np.ones(len(columns)), columns, ends), shape=(len(numeric), int(self._levels.sum())))
        return csr_array(hstack([numbers, codes], format="csr"))


def _sample(arrays: Arrays, seed: int) -> NDArray[np.intp] | slice:
    entries = max(1, arrays.numeric.shape[1] + arrays.categorical.shape[1])
    limit = max(1, min(MAX_FIT_ROWS, MAX_FIT_ENTRIES // entries))
    if len(arrays.numeric) <= limit:
        return slice(None)
    return np.sort(np.random.default_rng(seed).choice(len(arrays.numeric), limit, replace=False))
