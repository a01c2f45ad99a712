"""Propose trials with Optuna: the only place that knows it.

A proposal depends on the search's seed, its own number and the trials finished before it, on nothing else. So a resumed
search proposes what an undisturbed one would have. (An Optuna sampler that is built again with its seed starts its
random numbers afresh, and so repeats the samples it made before the interruption.)

Sources: Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011 (tree-structured Parzen estimator);
Falkner et al., BOHB, ICML 2018 (its multivariate form); Watanabe, arXiv:2304.11127 (what its parts are good for).
"""

from collections.abc import Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from goodfit.tuning.section import TuneSection
from goodfit.tuning.space import Axis, Space
from goodfit.tuning.trial import Proposal, Trial, derived_seed

VERSION = optuna.__version__


class Sampler:
    """Proposes the next trials of one search.

    Args:
        section: which sampler, and its settings.
        space: what may be set to what.
        seed: the search's.
    """

    def __init__(self, section: TuneSection, space: Space, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._section, self._seed = section, seed
        self._distributions = {axis.path: _distribution(axis) for axis in space.axes}
        self._study = optuna.create_study(direction="minimize")
        self._running: dict[int, optuna.Trial] = {}
        self._known = 0

    def propose(self, trials: Sequence[Trial], count: int) -> list[Proposal]:
        """Return the next proposals, given every trial so far, by number and all finished."""
        for trial in trials[self._known :]:
            self._learn(trial)
        self._known = len(trials)
        return [self._proposal(len(trials) + index) for index in range(count)]

    def _proposal(self, number: int) -> Proposal:
        self._study.sampler = self._built(derived_seed(self._seed, "sampler", number))
        trial = self._study.ask(self._distributions)
        self._running[number] = trial
        return Proposal(number, dict(trial.params), derived_seed(self._seed, "trial", number))

    def _built(self, seed: int) -> optuna.samplers.BaseSampler:
        if self._section.sampler == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        startup = self._section.startup_trials
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup, multivariate=True, constant_liar=True)

    def _learn(self, trial: Trial) -> None:
        """Bring Optuna's study up to a finished trial, whether this process or a dead one proposed it."""
        asked = self._running.pop(trial.number, None)
        if asked is None:
            self._study.add_trial(self._frozen(trial))
            return
        if trial.state == "PRUNED" and trial.value is not None:
            asked.report(trial.value, trial.epochs)
        value = trial.value if trial.state == "COMPLETE" else None
        self._study.tell(asked, value, state=TrialState[trial.state])

    def _frozen(self, trial: Trial) -> optuna.trial.FrozenTrial:
        pruned = trial.state == "PRUNED" and trial.value is not None
        return create_trial(
            state=TrialState[trial.state],
            value=trial.value,
            params=trial.params,
            distributions=self._distributions,
            intermediate_values={trial.epochs: trial.value} if pruned and trial.value is not None else {},
        )


def _distribution(axis: Axis) -> BaseDistribution:
    dimension = axis.dimension
    if dimension.choices is not None:
        return CategoricalDistribution(dimension.choices)
    low, high = dimension.ends
    if axis.whole:
        return IntDistribution(int(low), int(high), log=dimension.log, step=int(dimension.step or 1))
    return FloatDistribution(low, high, log=dimension.log, step=dimension.step)
