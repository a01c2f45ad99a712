"""Covariance matrix adaptation."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from goodfit.tuning.axes import Axis
from goodfit.tuning.cube import place_of, value_at
from goodfit.tuning.samplers.base import SAMPLERS, Sampler, Settings
from goodfit.tuning.samplers.random import RandomSampler
from goodfit.tuning.trial import Trial

SPREAD = 1 / 6
"""Standard deviation at the beginning, in widths of the space; Hansen advises a sixth to a third."""


@SAMPLERS.register("cmaes", several=False, learns=True)
class CmaesSampler(Sampler):
    """Covariance matrix adaptation: a normal distribution that moves and stretches towards where trials do well.

    It moves over ranges; choices, and options under a condition, are drawn at random. Only completed trials move it, so
    it wants many, and `tune.pruner: none`. Source: Hansen, The CMA Evolution Strategy: A Tutorial, arXiv:1604.00772.
    """

    def propose(self, trials: Sequence[Trial], begun: Sequence[Settings], count: int) -> list[Settings]:
        """Replay every whole generation, then draw."""
        drawn = RandomSampler(self.space, self.seed, self.startup).propose(trials, begun, count)
        axes = self._ranges()
        if len(axes) < 2 or len(trials) < self.startup:
            return drawn
        evolution = self._replayed(axes, trials, self.seed_of(len(trials)))
        return [settings | self._moved(axes, evolution.ask()) for settings in drawn]

    def _ranges(self) -> list[Axis]:
        return [axis for axis in self.space.axes if axis.dimension.choices is None and not axis.dimension.when]

    def _replayed(self, axes: list[Axis], trials: Sequence[Trial], seed: int) -> Any:
        import cmaes  # with scipy.stats: a second that no other sampler should pay for

        complete = [trial for trial in trials if trial.state == "COMPLETE"]
        points = [(np.array([place_of(a, t.params[a.path]) for a in axes]), t.value) for t in complete]
        first = min(complete[: self.startup], key=lambda trial: trial.value or 0.0, default=None)
        mean = np.full(len(axes), 0.5) if first is None else points[complete.index(first)][0]
        bounds = np.tile([0.0, 1.0], (len(axes), 1))
        evolution = cmaes.CMA(mean=mean, sigma=SPREAD, bounds=bounds, seed=seed)
        size = evolution.population_size
        for start in range(0, len(points) - size + 1, size):
            evolution.tell(points[start : start + size])
        return evolution

    def _moved(self, axes: list[Axis], point: Any) -> Settings:
        return {axis.path: value_at(axis, place) for axis, place in zip(axes, point.tolist(), strict=True)}
