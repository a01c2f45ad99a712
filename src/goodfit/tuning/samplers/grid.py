"""Grid search."""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import Field

from goodfit.errors import ConfigurationError, Fault
from goodfit.tuning.axes import Axis, Space
from goodfit.tuning.cube import value_at
from goodfit.tuning.dimension import Scalar
from goodfit.tuning.samplers.base import SAMPLERS, Sampler, Settings
from goodfit.tuning.trial import Trial, derived_seed

MOST = 100_000


@SAMPLERS.register("grid", several=True, learns=False)
class GridSampler(Sampler):
    """Grid search: every combination once, in shuffled order; the search ends when none is left.

    Options:
        points: values of a range that is continuous, or has more; they lie at equal distances on the range's scale.
    """

    def __init__(self, *runtime: Any, points: Annotated[int, Field(ge=2, le=1000)] = 5) -> None:
        super().__init__(*runtime)
        self.points = points
        self._order: list[Settings] = []

    def propose(self, trials: Sequence[Trial], begun: Sequence[Settings], count: int) -> list[Settings]:
        """Return the combinations that no trial and no given start has, as far as there are any."""
        tried = [trial.params for trial in trials] + list(begun)
        left = (settings for settings in self.order if settings not in tried)
        return list(itertools.islice(left, count))

    @property
    def order(self) -> list[Settings]:
        """Every combination, shuffled by the search's seed."""
        if not self._order:
            self._order = list(_combinations(self.space, self.points))
            random.Random(derived_seed(self.seed, "grid", 0)).shuffle(self._order)
        return self._order


def _combinations(space: Space, points: int) -> Iterator[Settings]:
    every: list[Settings] = [{}]
    for axis in space.ordered:
        grown = (({**s, axis.path: v} for v in _values(axis, points)) if axis.active(s) else (s,) for s in every)
        every = list(itertools.islice(itertools.chain.from_iterable(grown), MOST + 1))
        if len(every) > MOST:
            raise ConfigurationError([_too_large()])
    yield from ({path: settings[path] for path in space.paths if path in settings} for settings in every)


def _values(axis: Axis, points: int) -> list[Scalar]:
    if axis.dimension.choices is not None:
        return list(axis.dimension.choices)
    values = [value_at(axis, index / (points - 1)) for index in range(points)]
    return list(dict.fromkeys(values))


def _too_large() -> Fault:
    rule = f"the grid has more than {MOST:,} points"
    return Fault("params.yaml: tune.space", rule, None, "Search fewer options or values, or take another sampler.")
