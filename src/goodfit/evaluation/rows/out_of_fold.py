"""Predictions of train rows by models that have not seen them.

The network has learned its train rows, wrong labels included, so it cannot say which of them are wrong. A boosted model
per fold can: each fold's rows are predicted by trees that were grown on three other folds and stopped by a fourth.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodfit.evaluation.boosting import SETTINGS, Boosting, Rows
from goodfit.preprocessing import Arrays

FOLDS = 5


def out_of_fold(rows: Rows, classes: int, seed: int, groups: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
    """Return predictions of each row by a model fitted on the other folds: [n, k] or [n].

    Args:
        rows: preprocessed rows and their targets.
        classes: number of classes; 0 for regression.
        seed: of the folds.
        groups: the group of each row [n], as codes from 0; a group lies in one fold.
    """
    generator = np.random.default_rng((seed, FOLDS))
    units = np.arange(len(rows.target)) if groups is None else groups
    folds = (generator.permutation(int(units.max(initial=-1)) + 1) % FOLDS)[units]
    answer = np.zeros((len(rows.target), classes) if classes else len(rows.target))
    for fold in range(FOLDS):
        held, others = folds == fold, folds == (fold + 1) % FOLDS
        if held.any() and others.any() and (~held & ~others).any():
            model = Boosting(_taken(rows, ~held & ~others), _taken(rows, others), classes, seed, SETTINGS[:1])
            answer[held] = model.predict(_taken(rows, held).arrays)
    return answer


def _taken(rows: Rows, mask: NDArray[Any]) -> Rows:
    return Rows(Arrays(rows.arrays.numeric[mask], rows.arrays.categorical[mask]), rows.target[mask])
