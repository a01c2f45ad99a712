"""What a batch is run with: proposals, which of them have no outcome yet, and the trials before it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import overload

from goodfit.tuning.trial import Proposal, Trial


@dataclass(frozen=True)
class Batch:
    """Proposals that were made at once, and those paused before them. As a sequence it holds those without an outcome.

    Args:
        proposals: all of them, by number, those included whose outcome a process before this one recorded.
        told: the trials that came of proposals so far.
        earlier: every trial that had finished when the batch was proposed.
        spent_epochs: epochs of training that these took.
        spent_seconds: seconds of searching until this process took it up.
        place: of the batch among all of its search.
        paused: trials of earlier batches that go on, as far as they had come.
        may_pause: whether its last trial may be paused, so that the next batch trains beside it.
    """

    proposals: tuple[Proposal, ...]
    told: tuple[Trial, ...] = ()
    earlier: tuple[Trial, ...] = ()
    spent_epochs: int = 0
    spent_seconds: float = 0.0
    place: int = 0
    paused: tuple[Trial, ...] = ()
    may_pause: bool = False
    owed: tuple[Proposal, ...] = field(init=False)

    def __post_init__(self) -> None:
        known = {trial.number for trial in self.told}
        object.__setattr__(self, "owed", tuple(p for p in self.proposals if p.number not in known))

    def __iter__(self) -> Iterator[Proposal]:
        return iter(self.owed)

    def __len__(self) -> int:
        return len(self.owed)

    @overload
    def __getitem__(self, index: int) -> Proposal: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Proposal, ...]: ...

    def __getitem__(self, index: int | slice) -> Proposal | tuple[Proposal, ...]:
        return self.owed[index]
