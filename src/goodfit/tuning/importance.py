"""Which searched options the objective depended on."""

import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from types import ModuleType

import optuna

from goodfit.tuning.axes import Space
from goodfit.tuning.samplers.study import distribution, frozen
from goodfit.tuning.trial import Trial

FEWEST = 8
"""Trials below which nothing is said."""


def importances(space: Space, trials: Sequence[Trial]) -> tuple[dict[str, float], int]:
    """Return the share of each option, the largest first, and the epoch at which trials were compared (0: their end).

    Pruned trials know something too. So where few have completed, all are compared after the latest epoch that half of
    them reached. Source: Watanabe, Bansal, Hutter, PED-ANOVA, IJCAI 2023.
    """
    compared, epoch = _comparable([trial for trial in trials if trial.state != "FAIL"])
    if len(compared) < FEWEST or len({trial.value for trial in compared}) < 2:
        return {}, epoch
    library = _library()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {axis.path: distribution(axis) for axis in space.axes}
    study = optuna.create_study()
    study.add_trials([frozen(trial, distributions, [trial.value or 0.0], {}) for trial in compared])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is experimental
        shares = library.get_param_importances(study, evaluator=library.PedAnovaImportanceEvaluator())
    return {name: float(share) for name, share in shares.items() if share == share}, epoch


def _library() -> ModuleType:
    """Return `optuna.importance`, imported without its forests unless they are there already.

    They need scikit-learn, whose import takes longer than all the rest after a search; PED-ANOVA does without. Optuna
    takes it for not installed; so whoever imports `optuna.importance` afterwards is given a module of their own.
    """
    if "sklearn" in sys.modules or "optuna.importance" in sys.modules:
        return import_module("optuna.importance")
    before = vars(optuna)["importance"]
    sys.modules["sklearn"] = None  # type: ignore[assignment]  # what the import system takes for "not there"
    try:
        return import_module("optuna.importance")
    finally:
        del sys.modules["sklearn"]
        optuna.importance = before  # Optuna imports it when it is first asked for
        for name in [name for name in sys.modules if name.startswith("optuna.importance")]:
            del sys.modules[name]


def _comparable(trials: list[Trial]) -> tuple[list[Trial], int]:
    complete = [trial for trial in trials if trial.state == "COMPLETE"]
    lengths = sorted((len(trial.judged) for trial in trials), reverse=True)
    if 2 * len(complete) >= len(trials) or not lengths:
        return complete, 0
    epoch = lengths[len(lengths) // 2]
    reached = [trial for trial in trials if epoch and len(trial.judged) >= epoch]
    return [replace(t, state="COMPLETE", value=t.judged[epoch - 1]) for t in reached], epoch
