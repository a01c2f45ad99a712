"""Write a search into a storage of Optuna's, for tools that read one."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

from goodfit.files import remove
from goodfit.tuning.axes import Axis
from goodfit.tuning.dimension import Dimension
from goodfit.tuning.ledger import Record
from goodfit.tuning.samplers.study import distribution
from goodfit.tuning.section import weighs
from goodfit.tuning.trial import Trial

STUDY = "goodfit"


def export(record: Record, path: Path) -> int:
    """Write every finished trial, with its curve, into an Optuna journal file that is made anew; return how many.

    Args:
        record: what the search's journal says.
        path: the file.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    remove(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    against = record.identity.get("against")
    two = weighs(against, record.identity["sampler"]["kind"])
    study = optuna.create_study(storage=storage, study_name=STUDY, directions=["minimize"] * (2 if two else 1))
    names = [record.identity["objective"], *([against] if two else [])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is experimental
        study.set_metric_names(names)
    distributions = {path: _distribution(path, axis) for path, axis in record.identity["space"].items()}
    study.add_trials([_frozen(trial, distributions, two) for trial in record.trials])
    return len(record.trials)


def _frozen(trial: Trial, distributions: Mapping[str, BaseDistribution], several: bool) -> FrozenTrial:
    values = [trial.value or 0.0, *([trial.against or 0.0] if several else [])]
    curve = enumerate(trial.judged, 1)
    return create_trial(
        state=TrialState[trial.state],
        values=values if trial.state == "COMPLETE" else None,
        params=trial.params,
        distributions={path: distributions[path] for path in trial.params},
        intermediate_values={} if several else dict(curve),
        user_attrs={"number": trial.number, "seed": trial.seed, "origin": trial.origin, "error": trial.error}
        | ({} if trial.against is None else {"against": trial.against}),
    )


def _distribution(path: str, axis: Mapping[str, Any]) -> BaseDistribution:
    dimension = {name: value for name, value in axis.items() if name != "whole"}
    return distribution(Axis(path, Dimension.model_validate(dimension), axis["whole"]))
