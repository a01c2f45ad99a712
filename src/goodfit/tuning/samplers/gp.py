"""Gaussian process."""

import optuna

from goodfit.tuning.samplers.base import SAMPLERS
from goodfit.tuning.samplers.study import StudySampler


@SAMPLERS.register("gp", several=False)
class GpSampler(StudySampler):
    """Gaussian process: fits a smooth surface to the completed trials and proposes where it promises most.

    Good for few, expensive trials over numbers; a proposal costs about a second. Pruned trials teach it nothing.
    Source: Jones, Schonlau, Welch, Efficient Global Optimization, J. Global Optimization 13, 1998.
    """

    def built(self, seed: int) -> optuna.samplers.BaseSampler:
        """Return Optuna's."""
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=self.startup)
