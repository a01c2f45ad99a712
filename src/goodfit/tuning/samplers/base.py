"""What a sampler is: a pure function of the search's seed and of the trials so far."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from goodfit.registry import Registry
from goodfit.tuning.axes import Space
from goodfit.tuning.dimension import Scalar
from goodfit.tuning.trial import Trial, derived_seed

Settings = dict[str, Scalar]
"""Dotted option to value, of the options that exist under each other's values."""


class Sampler(ABC):
    """One way to propose settings.

    A proposal depends on the seed, its own number, the finished trials and what was begun in the same batch, on nothing
    else: no sampler keeps anything between two calls. So a resumed search proposes what an undisturbed one would have.

    Args:
        space: what may be set to what.
        seed: the search's.
        startup: number of finished trials before the sampler learns from them.
    """

    def __init__(self, space: Space, seed: int, startup: int) -> None:
        self.space, self.seed, self.startup = space, seed, startup

    @abstractmethod
    def propose(self, trials: Sequence[Trial], begun: Sequence[Settings], count: int) -> list[Settings]:
        """Return the next settings, fewer than `count` when there are no more to try.

        Args:
            trials: every finished trial, by number, without gaps.
            begun: settings of this batch that are given (see `starts` of a search); they take the next numbers.
            count: how many more are wanted.
        """

    def seed_of(self, number: int) -> int:
        """Return the seed that decides proposal `number`."""
        return derived_seed(self.seed, "sampler", number)


SAMPLERS: Registry[Sampler] = Registry("sampler")
"""Facts of a member: `several`, whether it can weigh several objectives; `learns`, whether it learns from trials."""
