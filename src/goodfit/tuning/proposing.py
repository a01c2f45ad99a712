"""Make proposals: the starts first, then what the sampler says."""

from collections.abc import Sequence

from goodfit.tuning.axes import Space
from goodfit.tuning.samplers import SAMPLERS, Settings
from goodfit.tuning.section import TuneSection
from goodfit.tuning.starts import Start
from goodfit.tuning.trial import Proposal, Trial, derived_seed


class Proposer:
    """Proposes the next trials of one search; keeps nothing between two calls.

    Args:
        section: which sampler, and its settings.
        space: what may be set to what.
        seed: the search's.
        starts: what to begin with, in order.
    """

    def __init__(self, section: TuneSection, space: Space, seed: int, starts: Sequence[Start] = ()) -> None:
        self._seed, self._starts = seed, list(starts)
        self._sampler = SAMPLERS.build(section.sampler, space, seed, section.startup_trials)

    def propose(self, trials: Sequence[Trial], count: int) -> list[Proposal]:
        """Return the next proposals, given every trial so far, by number and all finished; fewer when none are left."""
        first = len(trials)
        begun = self._starts[first : first + count]
        settings = [start.settings for start in begun]
        more = self._sampler.propose(trials, settings, count - len(begun)) if len(begun) < count else []
        origins = [start.origin for start in begun] + ["sampler"] * len(more)
        numbered = enumerate(zip([*settings, *more], origins, strict=True), first)
        return [self._proposal(number, chosen, origin) for number, (chosen, origin) in numbered]

    def _proposal(self, number: int, settings: Settings, origin: str) -> Proposal:
        return Proposal(number, settings, derived_seed(self._seed, "trial", number), origin)


def second_looks(trials: Sequence[Trial], seeds: int, seed: int, first: int) -> list[Proposal]:
    """Return a proposal for each of some trials and each new seed, numbered from `first`."""
    pairs = [(trial, index) for trial in trials for index in range(seeds)]
    return [
        Proposal(
            first + place,
            trial.params,
            derived_seed(seed, f"rescore {trial.number}", index),
            trial.origin,
            trial.number,
        )
        for place, (trial, index) in enumerate(pairs)
    ]
