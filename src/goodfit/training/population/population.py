"""Train many members as one program, epoch by epoch in lockstep."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from goodfit.errors import ConfigurationError, DataError, Fault, ServiceError
from goodfit.files import digest_of_value
from goodfit.stage import failpoint
from goodfit.training.population.candidate import Candidate, Finished, Judge, Pause
from goodfit.training.population.crew import Crew, crew_of
from goodfit.training.population.group import Group
from goodfit.training.population.grouping import grouped
from goodfit.training.population.keeper import Keeper, checkpoint_in
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
    pause: Pause | None = None,
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
        pause: says after each epoch, when who stops is gone, whether to end here: whoever still trains is PAUSED, and
            can go on in another population (`Candidate.begun`), beside others. Needs `state`.
        on_epoch: called with a candidate's number and each of its epochs, once that epoch is in a checkpoint (at most a
            few seconds later) or nobody trains any more, and before the candidate is yielded; on resume, and of who was paused, first for each
            epoch of the checkpoint (`Epoch.restored`). What it raises ends the population and comes out unchanged.
        rows: prepared rows of populations before this one over the same data, to be used again.

    Raises:
        MachineError: the device that is named is not there.
        ServiceError: a checkpoint cannot be written, or that of a paused candidate is gone.
    """
    numbers = [candidate.number for candidate in candidates]
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"the numbers of candidates must be unique, not {numbers}")
    if pause is not None and state is None:
        raise ValueError("a population that may pause needs a folder for checkpoints")
    yield from Population(candidates, state, judge, pause, on_epoch, rows or RowStore()).run()


class Population:
    """One call of `fit_population`."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        state: Path | None,
        judge: Judge | None,
        pause: Pause | None,
        on_epoch: OnEpoch | None,
        rows: RowStore,
    ) -> None:
        self.judge = judge
        self.pause = pause
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
        self.identities = {standing.number: identity(standing) for standing in standings}
        self.keeper = Keeper(state, digest_of_value(sorted(self.identities.items())))
        fresh = [standing for standing in standings if standing.candidate.begun is None]
        self.groups = [Group(members, *rows.prepared(members[0])) for members in grouped(fresh)]
        self._take_up([standing for standing in standings if standing.candidate.begun is not None], rows)

    def run(self) -> Iterator[Finished]:
        """Train to the end."""
        yield from self.failed
        epoch = self._resume()
        yield from self._told()
        if self.groups and not (epoch and self._pausing()):
            yield from self._trained(epoch)
        for standing in self._training():
            yield Finished(standing.number, "PAUSED", None)

    def _trained(self, epoch: int) -> Iterator[Finished]:
        """Train until nobody is left, or who is left is paused; `epoch` counts those of this population."""
        with crew_of(self.groups) as crew:
            crew.begin(self.groups)
            going = True
            while going:
                epoch += 1
                crew.finish()
                self._judged(crew)
                going = bool(self.groups) and not self._pausing()
                due = self.keeper.due() or (bool(self.groups) and not going)
                state = self._state(epoch, crew) if due else {}
                if going:
                    crew.begin(self.groups)  # goes on while this process writes and tells
                else:
                    crew.dismiss()
                if due:
                    self.keeper.write(epoch, state)
                    failpoint("training.epoch")  # an epoch is durable, nobody has heard of it
                if due or not going:
                    yield from self._told()

    def _training(self) -> list[Standing]:
        return [standing for group in self.groups for standing in group.standings]

    def _pausing(self) -> bool:
        return self.pause is not None and self.pause([standing.number for standing in self._training()])

    def _judged(self, crew: Crew) -> None:
        """Note the news of an epoch, and let those go who are done."""
        sound = [standing for standing in self._training() if not standing.state]
        stopped = self._stopped(sound)
        self.news.extend((standing, standing.history.epochs[-1]) for standing in sound)
        self._release({group: rows for group in self.groups if (rows := self._leaving(group, stopped))}, crew)
        self.groups = [group for group in self.groups if group.standings]

    def _stopped(self, sound: Sequence[Standing]) -> set[int]:
        """Return whom the judge stops; those who were paused are at later epochs than the others."""
        if self.judge is None:
            return set()
        losses: dict[int, dict[int, float]] = {}
        for standing in sound:
            history = standing.history
            losses.setdefault(len(history.epochs), {})[standing.number] = history.judged
        return {number for epoch in sorted(losses, reverse=True) for number in self.judge(epoch, losses[epoch])}

    def _leaving(self, group: Group, stopped: set[int]) -> dict[int, str]:
        """Return by row in what state a member ends."""
        found = {}
        for row, standing in enumerate(group.standings):
            state = standing.state or ("COMPLETE" if standing.ends() else "")
            found[row] = state or ("PRUNED" if standing.number in stopped else "")
        return {row: state for row, state in found.items() if state}

    def _release(self, leaving: Mapping[Group, Mapping[int, str]], crew: Crew) -> None:
        ending = [(group.standings[row], state) for group, rows in leaving.items() for row, state in rows.items()]
        kept = [states for found in crew.part([(group, list(rows)) for group, rows in leaving.items()]) for states in found]
        for (standing, state), states in zip(ending, kept, strict=True):
            standing.end(state, states)
            self.done.append(standing)
            self.news.append((standing, None))

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
            "identities": self.identities,
        }

    def _resume(self) -> int:
        """Take up what a crash left; return the number of epochs that are done."""
        found = self.keeper.restored()
        if found is not None:
            self.groups, self.done = _restored(self.groups, self.done, found)
        every = self.done + self._training()
        for number in range(1, max((len(standing.history.epochs) for standing in every), default=0) + 1):
            reached = [standing for standing in every if len(standing.history.epochs) >= number]
            self.news.extend((standing, standing.history.epochs[number - 1]) for standing in reached)
        self.news.extend((standing, None) for standing in self.done)
        return 0 if found is None else int(found["epoch"])

    def _take_up(self, paused: Sequence[Standing], rows: RowStore) -> None:
        """Go on with candidates from where another population paused them, in the stacks that they were in."""
        for folder in sorted({standing.candidate.begun for standing in paused if standing.candidate.begun}):
            own = {standing.number: standing for standing in paused if standing.candidate.begun == folder}
            found = _checkpoint_of(folder, {number: self.identities[number] for number in own})
            for value in (value for value in found["done"] if value["number"] in own):
                self.done.append(own[value["number"]])
                self.done[-1].restore(value)
            for value in found["groups"]:
                numbers = {member["number"] for member in value["members"]}
                if numbers & own.keys():
                    self.groups.append(_stack_of(numbers, own, rows))
                    self.groups[-1].load_state_dict(value)


def _stack_of(numbers: Collection[int], paused: Mapping[int, Standing], rows: RowStore) -> Group:
    if missing := sorted(set(numbers) - paused.keys()):
        raise ValueError(f"candidates {sorted(numbers)} were paused in one stack and go on together: {missing} lack")
    members = [paused[number] for number in sorted(numbers)]
    return Group(members, *rows.prepared(members[0]))


def _checkpoint_of(folder: Path, paused: dict[int, str]) -> dict[str, Any]:
    """Return the last checkpoint of a population that paused these candidates, given their identities."""
    found = checkpoint_in(folder)
    known = {} if found is None else dict(found["identities"])
    if found is None or not paused.items() <= known.items():
        rule = f"holds no sound checkpoint of {sorted(paused)}, which were to go on from it"
        remedy = "The search cannot go on as it would have: delete its folder under .goodfit/state to start it anew."
        raise ServiceError([Fault(str(folder), rule, None, remedy)])
    return found


def _restored(
    groups: Sequence[Group], done: Sequence[Standing], found: dict[str, Any]
) -> tuple[list[Group], list[Standing]]:
    everyone = {standing.number: standing for group in groups for standing in group.standings}
    everyone |= {standing.number: standing for standing in done}
    homes = {standing.number: group for group in groups for standing in group.standings}
    ended = [everyone[value["number"]] for value in found["done"]]
    for standing, value in zip(ended, found["done"], strict=True):
        standing.restore(value)
    living = []
    for value in found["groups"]:
        group = homes[value["members"][0]["number"]]
        group.load_state_dict(value)
        living.append(group)
    return living, ended
