"""Samplers of Optuna behind our contract: the only place where studies are made in order to ask them.

A study is made anew for each batch. Asking it costs more the more trials it holds, and one that lives on would have to
be rebuilt exactly after a crash; a study that is made of a bounded choice of the finished trials is neither slow nor
fragile.
"""

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from goodfit.tuning.axes import Axis, Space
from goodfit.tuning.samplers.base import Sampler, Settings
from goodfit.tuning.trial import Trial

VERSION = optuna.__version__


class StudySampler(Sampler):
    """Asks an Optuna study that holds some of the finished trials."""

    directions: tuple[Literal["minimize"], ...] = ("minimize",)
    """Of each objective."""
    most = 100
    """Number of trials the study holds: a quarter of them the best, the others the latest."""

    @abstractmethod
    def built(self, seed: int) -> optuna.samplers.BaseSampler:
        """Return Optuna's sampler, seeded."""

    def attributes(self, trial: Trial) -> dict[str, int]:
        """Return what Optuna's sampler would have noted on a trial that it proposed itself."""
        return {}

    def values(self, trial: Trial) -> list[float]:
        """Return the objectives of a completed trial."""
        return [] if trial.value is None else [trial.value]

    def propose(self, trials: Sequence[Trial], begun: Sequence[Settings], count: int) -> list[Settings]:
        """Ask a study for each proposal; those of one batch know that the others are under way."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(directions=list(self.directions))
        study.add_trials([self._frozen(trial) for trial in seen(trials, self.most)])
        for settings in begun:
            study.enqueue_trial(settings)
        every = []
        for index in range(len(begun) + count):
            study.sampler = self.built(self.seed_of(len(trials) + index))
            every.append(suggested(study.ask(), self.space, self.distributions))
        return every[len(begun) :]

    @cached_property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's picture of each axis."""
        return {axis.path: distribution(axis) for axis in self.space.axes}

    def _frozen(self, trial: Trial) -> FrozenTrial:
        return frozen(trial, self.distributions, self.values(trial), self.attributes(trial))


def seen(trials: Sequence[Trial], most: int) -> list[Trial]:
    """Return at most so many trials, by number: the best quarter, the rest the latest."""
    if len(trials) <= most:
        return list(trials)
    rank = {"COMPLETE": 0, "PRUNED": 1, "FAIL": 2}
    ranked = sorted(
        (t for t in trials if t.value is not None), key=lambda t: (rank[t.state], -t.epochs * rank[t.state], t.value)
    )
    chosen = {trial.number: trial for trial in ranked[: most // 4]}
    for trial in reversed(trials):
        if len(chosen) >= most:
            break
        chosen.setdefault(trial.number, trial)
    return [chosen[number] for number in sorted(chosen)]


def frozen(
    trial: Trial, distributions: dict[str, BaseDistribution], values: list[float], attributes: dict[str, int]
) -> FrozenTrial:
    """Return a finished trial as Optuna keeps it."""
    pruned = trial.state == "PRUNED" and trial.value is not None
    return create_trial(
        state=TrialState[trial.state],
        values=values if trial.state == "COMPLETE" else None,
        params=trial.params,
        distributions={path: distributions[path] for path in trial.params},
        intermediate_values={trial.epochs: trial.value} if pruned and trial.value is not None else {},
        system_attrs=attributes,
    )


def suggested(trial: optuna.Trial, space: Space, distributions: dict[str, BaseDistribution]) -> Settings:
    """Let Optuna choose each option that exists under what was chosen before it."""
    chosen: Settings = {}
    for axis in space.ordered:
        if axis.active(chosen):
            chosen[axis.path] = _suggest(trial, axis.path, distributions[axis.path])
    return {path: chosen[path] for path in space.paths if path in chosen}


def _suggest(trial: optuna.Trial, path: str, known: BaseDistribution) -> bool | int | float | str | None:
    if isinstance(known, CategoricalDistribution):
        return trial.suggest_categorical(path, known.choices)
    if isinstance(known, IntDistribution):
        return trial.suggest_int(path, known.low, known.high, step=known.step, log=known.log)
    assert isinstance(known, FloatDistribution)
    return trial.suggest_float(path, known.low, known.high, step=known.step, log=known.log)


def distribution(axis: Axis) -> BaseDistribution:
    """Return Optuna's picture of an axis."""
    dimension = axis.dimension
    if dimension.choices is not None:
        return CategoricalDistribution(dimension.choices)
    low, high = dimension.ends
    if axis.whole:
        return IntDistribution(int(low), int(high), log=dimension.log, step=int(dimension.step or 1))
    return FloatDistribution(low, high, log=dimension.log, step=dimension.step)
