"""Gaussian process."""

from collections.abc import Sequence
from functools import cached_property

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution

from goodfit.tuning.axes import Axis
from goodfit.tuning.dimension import Scalar
from goodfit.tuning.samplers.base import SAMPLERS, Settings
from goodfit.tuning.samplers.foretelling import foretold
from goodfit.tuning.samplers.study import StudySampler
from goodfit.tuning.trial import Trial

MANY = 16
"""Values from which on a whole number is proposed as any number and rounded: a surface is climbed along its slope, and
where it is made of steps each must be looked at, which took two thirds of the time."""


@SAMPLERS.register("gp", several=False, learns=True)
class GpSampler(StudySampler):
    """Gaussian process: fits a smooth surface to what trials came to and proposes where it promises most.

    Good for few, expensive trials over numbers; a proposal costs about a tenth of a second. A pruned trial counts with
    what it would have come to, judged by those that went on. Options under a condition are drawn at random. Sources:
    Jones, Schonlau, Welch, Efficient Global Optimization, J. Global Optimization 13, 1998; Ament et al., Unexpected
    Improvements to Expected Improvement for Bayesian Optimization, NeurIPS 2023.
    """

    def propose(self, trials: Sequence[Trial], begun: Sequence[Settings], count: int) -> list[Settings]:
        """Ask Optuna with every trial foretold."""
        asked = super().propose(foretold(trials), begun, count)
        return [{path: self._exact(path, value) for path, value in one.items()} for one in asked]

    @cached_property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's picture of each axis."""
        return super().distributions | self._smooth

    @cached_property
    def _smooth(self) -> dict[str, BaseDistribution]:
        """Whole numbers of many values that no condition asks for."""
        named = {path for axis in self.space.axes for path in axis.dimension.when}
        many = (axis for axis in self.space.axes if _many(axis) and axis.path not in named)
        return {axis.path: FloatDistribution(*axis.dimension.ends, log=axis.dimension.log) for axis in many}

    def _exact(self, path: str, value: Scalar) -> Scalar:
        return round(value) if path in self._smooth and isinstance(value, float) else value

    def built(self, seed: int) -> optuna.samplers.BaseSampler:
        """Return Optuna's."""
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=self.startup)


def _many(axis: Axis) -> bool:
    if not axis.whole or axis.dimension.choices is not None or axis.dimension.step is not None:
        return False
    low, high = axis.dimension.ends
    return high - low >= MANY
