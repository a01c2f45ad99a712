"""Quasi-random search."""

from collections.abc import Sequence

from goodfit.tuning.cube import value_at
from goodfit.tuning.samplers.base import SAMPLERS, Sampler, Settings
from goodfit.tuning.trial import Trial, derived_seed


@SAMPLERS.register("qmc", several=True, learns=False)
class QmcSampler(Sampler):
    """Quasi-random search: points of a scrambled Sobol sequence, which cover the space more evenly than chance does.

    Source: Owen, Scrambled net variance for integrals of smooth functions, Annals of Statistics 25, 1997.
    """

    def propose(self, trials: Sequence[Trial], begun: Sequence[Settings], count: int) -> list[Settings]:
        """Return the points of the sequence whose numbers these proposals have."""
        from scipy.stats import qmc  # a second that no other sampler should pay for

        sequence = qmc.Sobol(len(self.space.axes), scramble=True, rng=derived_seed(self.seed, "sobol", 0))
        if first := len(trials) + len(begun):
            sequence.fast_forward(first)
        return [self._settings(sequence.random(1)[0].tolist()) for _ in range(count)]

    def _settings(self, point: list[float]) -> Settings:
        places = dict(zip(self.space.paths, point, strict=True))
        chosen: Settings = {}
        for axis in self.space.ordered:
            if axis.active(chosen):
                chosen[axis.path] = value_at(axis, places[axis.path])
        return {path: chosen[path] for path in self.space.paths if path in chosen}
