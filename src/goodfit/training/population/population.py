"""Train many members as one program, epoch by epoch in lockstep."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from goodfit.errors import ConfigurationError, DataError
from goodfit.files import digest_of_value
from goodfit.stage import failpoint
from goodfit.training.population.candidate import Candidate, Finished, Judge
from goodfit.training.population.crew import Crew, crew_of
from goodfit.training.population.group import Group
from goodfit.training.population.grouping import grouped
from goodfit.training.population.keeper import Keeper
from goodfit.training.population.rows import RowStore
from goodfit.training.population.standing import Standing
from goodfit.training.recipe import Epoch
from goodfit.training.start import identity, started

OnEpoch = Callable[[int, Epoch], None]


def fit_population(
    candidates: Sequence[Candidate],
    *,
    state: Path | None,
    judge: Judge | None = None,
    on_epoch: OnEpoch | None = None,
    rows: RowStore | None = None,
) -> Iterator[Finished]:
    """Train every candidate as `fit` would, many in one stack of tensors; yield each when it is done.

    A candidate's result does not depend on who trains beside it, but for the rounding of sums (1e-5 in a loss after a
    few epochs). All take their n-th epoch before any takes the next. Whoever stops, or diverges, leaves the stack.
    After a crash an equal call goes on from its last checkpoint and ends in the same bits; what was yielded before
    comes again.

    Args:
        candidates: what to train; their numbers are unique.
        state: folder for checkpoints, or None to train without; it must belong to these candidates alone.
        judge: says after each epoch who stops.
        on_epoch: called with a candidate's number and each of its epochs, once that epoch is in a checkpoint (at most a
            few seconds later) and before the candidate is yielded; on resume, first for each epoch of the checkpoint
            (`Epoch.restored`). What it raises ends the population and comes out unchanged.
        rows: prepared rows of populations before this one over the same data, to be used again.

    Raises:
        MachineError: the device that is named is not there.
        ServiceError: a checkpoint cannot be written.
    """
    numbers = [candidate.number for candidate in candidates]
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"the numbers of candidates must be unique, not {numbers}")
    yield from Population(candidates, state, judge, on_epoch, rows or RowStore()).run()


class Population:
    """One call of `fit_population`."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        state: Path | None,
        judge: Judge | None,
        on_epoch: OnEpoch | None,
        rows: RowStore,
    ) -> None:
        self.judge = judge
        self.on_epoch = on_epoch
        self.done: list[Standing] = []
        self.news: deque[tuple[Standing, Epoch | None]] = deque()
        self.failed: list[Finished] = []
        standings = []
        for candidate in candidates:
            try:
                standings.append(started(candidate))
            except (ConfigurationError, DataError) as error:
                self.failed.append(Finished(candidate.number, "FAIL", None, str(error)))
        self.keeper = Keeper(state, _identity(standings))
        self.groups = [Group(members, *rows.prepared(members[0])) for members in grouped(standings)]

    def run(self) -> Iterator[Finished]:
        """Train to the end."""
        yield from self.failed
        epoch = self._resume()
        yield from self._told()
        if not self.groups:
            return
        with crew_of(self.groups) as crew:
            crew.begin(self.groups, epoch + 1)
            while self.groups:
                epoch += 1
                crew.finish()
                self._judged(epoch, crew)
                due = self.keeper.folder is None or not self.groups or self.keeper.due()
                state = self._state(epoch, crew) if due else {}
                if self.groups:
                    crew.begin(self.groups, epoch + 1)  # goes on while this process writes and tells
                if due:
                    self.keeper.write(epoch, state)
                    failpoint("training.epoch")  # an epoch is durable, nobody has heard of it
                    yield from self._told()

    def _judged(self, epoch: int, crew: Crew) -> None:
        """Note the news of an epoch, and let those go who are done."""
        standings = [standing for group in self.groups for standing in group.standings]
        sound = [standing for standing in standings if not standing.state]
        losses = {standing.number: standing.history.losses[-1] for standing in sound}
        stopped = set(self.judge(epoch, losses)) if self.judge is not None and losses else set()
        self.news.extend((standing, standing.history.epochs[-1]) for standing in sound)
        for group in self.groups:
            self._released(group, stopped, crew)
        self.groups = [group for group in self.groups if group.standings]

    def _released(self, group: Group, stopped: set[int], crew: Crew) -> None:
        staying = []
        for row, standing in enumerate(group.standings):
            state = standing.state or ("COMPLETE" if standing.ends() else "")
            state = state or ("PRUNED" if standing.number in stopped else "")
            if not state:
                staying.append(row)
                continue
            standing.end(state, crew.kept(group, row))
            self.done.append(standing)
            self.news.append((standing, None))
        if len(staying) < len(group.standings):
            crew.keep(group, staying)

    def _told(self) -> Iterator[Finished]:
        while self.news:
            standing, epoch = self.news.popleft()
            if epoch is None:
                yield standing.finished()
            elif self.on_epoch is not None:
                self.on_epoch(standing.number, epoch)

    def _state(self, epoch: int, crew: Crew) -> dict[str, Any]:
        return {
            "epoch": epoch,
            "done": [standing.to_dict() for standing in self.done],
            "groups": [crew.state_dict(group) for group in self.groups],
        }

    def _resume(self) -> int:
        """Take up what a crash left; return the number of epochs that are done."""
        found = self.keeper.restored()
        if found is None:
            return 0
        self.groups, self.done = _restored(self.groups, found)
        every = self.done + [standing for group in self.groups for standing in group.standings]
        for number in range(1, found["epoch"] + 1):
            reached = [standing for standing in every if len(standing.history.epochs) >= number]
            self.news.extend((standing, standing.history.epochs[number - 1]) for standing in reached)
        self.news.extend((standing, None) for standing in self.done)
        return int(found["epoch"])


def _restored(groups: Sequence[Group], found: dict[str, Any]) -> tuple[list[Group], list[Standing]]:
    everyone = {standing.number: standing for group in groups for standing in group.standings}
    homes = {standing.number: group for group in groups for standing in group.standings}
    done = [everyone[value["number"]] for value in found["done"]]
    for standing, value in zip(done, found["done"], strict=True):
        standing.restore(value)
    living = []
    for value in found["groups"]:
        group = homes[value["members"][0]["number"]]
        group.load_state_dict(value)
        living.append(group)
    return living, done


def _identity(standings: Sequence[Standing]) -> str:
    return digest_of_value([[standing.number, identity(standing)] for standing in standings])
