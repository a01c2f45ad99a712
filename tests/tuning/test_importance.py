"""Importances cost no import of scikit-learn, and nobody else notices how."""

import subprocess
import sys

import numpy as np
import pytest

from goodfit.tuning.axes import Axis, Space
from goodfit.tuning.dimension import Dimension
from goodfit.tuning.importance import importances
from goodfit.tuning.trial import Trial

CODE = """
import sys
import optuna
from goodfit.tuning.importance import _library

if {sklearn}:
    import sklearn.ensemble
library = _library()
assert ("sklearn" in sys.modules) == {sklearn}
assert "optuna.importance" not in sys.modules or {sklearn}
evaluator = library.PedAnovaImportanceEvaluator()
optuna.importance.FanovaImportanceEvaluator()  # raises where Optuna takes scikit-learn for not installed
assert "sklearn.ensemble" in sys.modules
import optuna.importance
optuna.importance.MeanDecreaseImpurityImportanceEvaluator()
"""


def axis(path: str) -> Axis:
    return Axis(path, Dimension(low=0.0, high=1.0))


@pytest.mark.parametrize("sklearn", [False, True])
def test_scikit_learn_is_not_imported_and_still_there_for_others(sklearn: bool) -> None:
    done = subprocess.run([sys.executable, "-c", CODE.format(sklearn=sklearn)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_option_that_decides_has_nearly_all_of_it() -> None:
    random = np.random.default_rng(0)
    space = Space((axis("model.a"), axis("model.b")))
    trials = []
    for number in range(60):
        params = {"model.a": float(random.random()), "model.b": float(random.random())}
        trials.append(Trial(number, "COMPLETE", params["model.a"] ** 2, 1, 0.1, params, 1))
    shares, epoch = importances(space, trials)
    assert epoch == 0
    assert list(shares) == ["model.a", "model.b"]
    assert shares["model.a"] > 0.8
    assert importances(space, trials[:7]) == ({}, 0), "too few to say anything"
