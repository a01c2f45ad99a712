"""The third baseline: gradient boosted trees on the same preprocessed rows, quickly tuned on valid.

Trees of this kind are what a network on a table has to beat (Grinsztajn, Oyallon & Varoquaux, 2022). A few fixed
settings are tried; the valid rows choose the setting and its number of trees, as they choose the network's epoch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from goodfit.evaluation.relevance import relevance
from goodfit.metrics.log_loss import SMALLEST
from goodfit.preprocessing import Arrays

MAX_FIT_ROWS = 100_000
MAX_TUNE_ROWS = 10_000
MAX_ENTRIES = 5_000_000
"""Most train rows of the final fit and of a trial, and most matrix entries of either; more only cost time."""
MAX_LEVELS = 255
"""Categories that the trees can tell apart in one column; the rarer ones are taken together."""
MAX_TREES = 200
"""Most trees of one fit; several classes need a tree each in every round."""
MAX_COLUMNS = 300
"""Columns that the trees are shown; of more, those whose values tell most about the target in the train rows. A fit of
MAX_TREES splits on fewer, and each column costs as much as any other."""
FEWEST_ROUNDS = 10
SETTINGS: tuple[dict[str, Any], ...] = (
    {"learning_rate": 0.1, "max_leaf_nodes": 8, "min_samples_leaf": 20, "l2_regularization": 1.0},
    {"learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 20, "l2_regularization": 1.0},
    {"learning_rate": 0.1, "max_leaf_nodes": 4, "min_samples_leaf": 40, "l2_regularization": 1.0},
    {"learning_rate": 0.05, "max_leaf_nodes": 16, "min_samples_leaf": 60, "l2_regularization": 10.0},
)
Estimator = Any
"""HistGradientBoostingClassifier or HistGradientBoostingRegressor; scikit-learn has no types."""


@dataclass(frozen=True)
class Rows:
    """Preprocessed rows and their targets: class indices or values in target units, [n]."""

    arrays: Arrays
    target: NDArray[Any]

    def sample(self, limit: int, seed: int) -> "Rows":
        """Return at most `limit` rows, in order, drawn without replacement."""
        if len(self.target) <= limit:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self.target), limit, replace=False))
        return Rows(Arrays(self.arrays.numeric[rows], self.arrays.categorical[rows]), self.target[rows])


class Boosting:
    """Gradient boosted trees with native categories (Ke et al., 2017, in scikit-learn's implementation).

    It keeps to one thread: equal to the bit on every machine, and on small tables faster than several that wait for
    each other.

    Args:
        train: the rows to learn from.
        valid: the rows that choose the setting and the number of rounds.
        classes: number of classes; 0 for regression.
        seed: of the samples that stand for more rows than MAX_FIT_ROWS.
        settings: what is tried.

    Attributes:
        setting: what was chosen, with the number of rounds as `max_iter`; empty where there was nothing to learn.
        rows: train rows of the final fit.
        columns: how many columns the trees see.
    """

    def __init__(
        self, train: Rows, valid: Rows, classes: int, seed: int, settings: Sequence[Mapping[str, Any]] = SETTINGS
    ) -> None:
        self._classes, self._seed, self._settings = classes, seed, settings
        columns = train.arrays.numeric.shape[1] + train.arrays.categorical.shape[1]
        entries = max(1, min(columns, MAX_COLUMNS))
        fitted = train.sample(min(MAX_FIT_ROWS, max(1000, MAX_ENTRIES // entries)), seed)
        self.rows, self.columns = len(fitted.target), min(columns, MAX_COLUMNS)
        self._shown = _most_relevant(fitted, classes) if columns > MAX_COLUMNS else None
        fitted = self._narrowed(fitted)
        self._kept = [_frequent(codes) for codes in fitted.arrays.categorical.T]
        self._centre = 0.0 if classes else float(fitted.target.mean())
        self._scale = 1.0 if classes else float(fitted.target.std()) or 1.0
        self._present, counts = np.unique(fitted.target, return_counts=True)
        self._shares = counts / self.rows
        self.setting: dict[str, Any] = {}
        if len(self._present) > 1 and columns:
            limit = min(MAX_TUNE_ROWS, max(1000, MAX_ENTRIES // entries))
            with threadpool_limits(1, user_api="openmp"):
                self.setting = self._tuned(fitted.sample(limit, seed), self._narrowed(valid.sample(limit, seed)))
                self._model = self._fit(fitted, self.setting)

    def predict(self, arrays: Arrays) -> NDArray[np.float64]:
        """Return probabilities [n, k], or values [n] in target units."""
        starts = range(0, max(1, len(arrays.numeric)), MAX_FIT_ROWS)
        blocks = [slice(start, start + MAX_FIT_ROWS) for start in starts]
        with threadpool_limits(1, user_api="openmp"):
            return np.concatenate([self._answer(self._design(self._columns(arrays), rows)) for rows in blocks])

    def _narrowed(self, rows: Rows) -> Rows:
        return Rows(self._columns(rows.arrays), rows.target)

    def _columns(self, arrays: Arrays) -> Arrays:
        """Return the columns that the trees are shown."""
        if self._shown is None:
            return arrays
        numeric = arrays.numeric.shape[1]
        kept, coded = self._shown[self._shown < numeric], self._shown[self._shown >= numeric] - numeric
        return Arrays(arrays.numeric[:, kept], arrays.categorical[:, coded])

    def _answer(self, design: NDArray[np.float32]) -> NDArray[np.float64]:
        if not self.setting:
            return self._placed(np.tile(self._shares, (len(design), 1)))
        said = self._model.predict_proba(design) if self._classes else self._model.predict(design)
        return self._placed(said)

    def _placed(self, said: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return answers for all classes from those of the classes in train, or values in target units."""
        if not self._classes:
            return said.reshape(-1) * self._scale + self._centre if self.setting else np.full(len(said), self._centre)
        probability = np.zeros((len(said), self._classes))
        probability[:, self._present] = said
        return probability

    def _tuned(self, train: Rows, valid: Rows) -> dict[str, Any]:
        """Return the setting, its number of rounds included, with the lowest loss on valid."""
        trees = 1 if not self._classes or len(self._present) == 2 else len(self._present)
        rounds = max(FEWEST_ROUNDS, MAX_TREES // trees)
        tried = self._settings if trees * FEWEST_ROUNDS <= MAX_TREES else self._settings[:1]
        best: tuple[float, dict[str, Any]] = (np.inf, {**tried[0], "max_iter": FEWEST_ROUNDS})
        for setting in tried:
            model = self._fit(train, {**setting, "max_iter": rounds})
            losses = list(self._losses(model, valid))
            index = int(np.argmin(losses))
            if losses[index] < best[0]:
                best = (losses[index], {**setting, "max_iter": index + 1})
        return best[1]

    def _losses(self, model: Estimator, valid: Rows) -> Iterator[float]:
        """Yield the loss on valid after each round: log loss, or squared error."""
        design = self._design(valid.arrays)
        if not self._classes:
            for said in model.staged_predict(design):
                yield float(np.mean(np.square(said * self._scale + self._centre - valid.target)))
            return
        for said in model.staged_predict_proba(design):
            likelihood = self._placed(said)[np.arange(len(said)), valid.target]
            yield float(-np.log(np.clip(likelihood, SMALLEST, 1)).mean())

    def _fit(self, rows: Rows, setting: Mapping[str, Any]) -> Estimator:
        kind = HistGradientBoostingClassifier if self._classes else HistGradientBoostingRegressor
        numeric, categorical = rows.arrays.numeric.shape[1], rows.arrays.categorical.shape[1]
        coded = np.arange(numeric + categorical) >= numeric
        target = rows.target if self._classes else (rows.target - self._centre) / self._scale
        chosen = {"early_stopping": False, "random_state": self._seed, "categorical_features": coded, **setting}
        model: Estimator = kind(**chosen)
        return model.fit(self._design(rows.arrays), target)

    def _design(self, arrays: Arrays, rows: slice = slice(None)) -> NDArray[np.float32]:
        """Return numbers and codes side by side; rare codes share one."""
        codes = arrays.categorical[rows].astype(np.float32)
        for position, kept in enumerate(self._kept):
            if kept is not None:
                places = np.minimum(np.searchsorted(kept, arrays.categorical[rows, position]), len(kept) - 1)
                known = kept[places] == arrays.categorical[rows, position]
                codes[:, position] = np.where(known, places, len(kept))
        return np.concatenate([arrays.numeric[rows], codes], axis=1)


def _most_relevant(rows: Rows, classes: int) -> NDArray[np.intp]:
    """Return the places of the MAX_COLUMNS columns that tell most, in order: numbers first, then codes."""
    told = relevance(rows.arrays.numeric, rows.arrays.categorical, rows.target, classes)
    return np.sort(np.argsort(-told, kind="stable")[:MAX_COLUMNS])


def _frequent(codes: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the codes to keep, sorted, where there are more than the trees can tell apart; None keeps them all."""
    values, counts = np.unique(codes, return_counts=True)
    if int(codes.max(initial=0)) < MAX_LEVELS:
        return None
    return np.asarray(np.sort(values[np.argsort(-counts, kind="stable")[: MAX_LEVELS - 1]]))
