"""Uniform random search."""

import optuna

from goodfit.tuning.samplers.base import SAMPLERS
from goodfit.tuning.samplers.study import StudySampler


@SAMPLERS.register("random", several=True, learns=False)
class RandomSampler(StudySampler):
    """Uniform random search: each proposal by itself, on the scale of each option."""

    most = 0

    def built(self, seed: int) -> optuna.samplers.BaseSampler:
        """Return Optuna's."""
        return optuna.samplers.RandomSampler(seed=seed)
