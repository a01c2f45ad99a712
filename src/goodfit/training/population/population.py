"""Train many members as one program, epoch by epoch in lockstep."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

from goodfit.errors import ConfigurationError, DataError
from goodfit.files import digest_of_value
from goodfit.stage import failpoint
from goodfit.training.population.candidate import Candidate, Finished, Judge, Pause
from goodfit.training.population.crew import Crew, crew_of
from goodfit.training.population.going_on import checkpoint_of, restored, stack_of
from goodfit.training.population.group import Group
from goodfit.training.population.grouping import grouped
from goodfit.training.population.keeper import Keeper
from goodfit.training.population.relay import Lead, Relay, Runners
from goodfit.training.population.rows import RowStore
from goodfit.training.population.standing import Standing
from goodfit.training.recipe import Epoch, judged_by
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
    relay: Relay | None = None,
    lead: Lead | None = None,
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
            few seconds later) or nobody trains any more, and before the candidate is yielded; on resume, and of who was
            paused, first for each epoch of the checkpoint (`Epoch.restored`). What it raises ends the population and
            comes out unchanged.
        rows: prepared rows of populations before this one over the same data, to be used again.
        relay: to the population after this one, if the same is given there: whoever is paused trains on meanwhile.
        lead: says how many epochs those who were paused train while those who join them train their first one, in which
            the judge is then not asked about them; 1 without it.

    Raises:
        MachineError: the device that is named is not there.
        ServiceError: a checkpoint cannot be written, or that of a paused candidate is gone.
    """
    numbers = [candidate.number for candidate in candidates]
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"the numbers of candidates must be unique, not {numbers}")
    if pause is not None and state is None:
        raise ValueError("a population that may pause needs a folder for checkpoints")
    yield from Population(candidates, state, judge, pause, on_epoch, rows or RowStore(), relay, lead).run()


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
        relay: Relay | None,
        lead: Lead | None,
    ) -> None:
        self.judge, self.pause, self.on_epoch, self.relay = judge, pause, on_epoch, relay
        self.lead: Lead = lead or (lambda behind: 1)
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
        self.runners: list[Runners] = []
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
        with ExitStack() as closing:
            crew = closing.enter_context(crew_of(self.groups))
            self.noted = {standing.number: len(standing.history.epochs) for standing in self._training()}
            crew.begin(self._first() if epoch == 0 else dict.fromkeys(self.groups, 1))
            going = True
            while going:
                epoch += 1
                crew.finish()
                self._join(crew)
                self._judged(crew)
                going = bool(self.groups) and not self._pausing()
                due = self.keeper.due() or (not going and self._wanted())
                state = self._state(epoch, crew) if due else {}
                if going:
                    crew.begin(dict.fromkeys(self.groups, 1))  # goes on while this process writes and tells
                else:
                    self._hand_over(crew, state, closing)
                if due:
                    self.keeper.write(epoch, state)
                failpoint("training.epoch")  # an epoch is over, and durable where it was due; nobody has heard of it
                if due or not going:
                    yield from self._told()

    def _wanted(self) -> bool:
        """Return whether what is there at the end is worth a checkpoint: networks, or members who are to go on."""
        return bool(self.groups) or any(standing.candidate.keeps_weights for standing in self.done)

    def _first(self) -> dict[Group, int]:
        """Return how many epochs each stack trains first, those left out that train already."""
        taken = [group for group in self.groups if group.epochs]
        lead = self._lead_of(taken) if taken else 1
        if any(runners.lead != lead for runners in self.runners):
            raise RuntimeError(f"who was paused has a lead of {lead} epochs, and trains another number of them")
        under_way = {number for runners in self.runners for number in _numbers(runners.groups)}
        return {group: lead if group.epochs else 1 for group in self.groups if not under_way & _numbers([group])}

    def _join(self, crew: Crew) -> None:
        """Take over those who have trained ahead."""
        for runners in self.runners:
            for state in runners.arrived():
                numbers = {member["number"] for member in state["members"]}
                group = next(group for group in self.groups if numbers & _numbers([group]))
                crew.adopt(group, state)
        self.runners = []

    def _hand_over(self, crew: Crew, state: dict[str, Any], closing: ExitStack) -> None:
        """Let whoever is paused train on for the population after this one."""
        folder = self.keeper.folder
        if not self.groups or self.relay is None or folder is None or not crew.background:
            crew.dismiss()
            return
        lead = self._lead_of(self.groups)
        crew.begin(dict.fromkeys(self.groups, lead))
        self.relay.hold(folder, Runners(self.groups, crew, state, lead, closing.pop_all()))

    def _lead_of(self, groups: Sequence[Group]) -> int:
        return self.lead({standing.number: group.epochs for group in groups for standing in group.standings})

    def _training(self) -> list[Standing]:
        return [standing for group in self.groups for standing in group.standings]

    def _pausing(self) -> bool:
        return self.pause is not None and self.pause([standing.number for standing in self._training()])

    def _judged(self, crew: Crew) -> None:
        """Note the news of an epoch, and let those go who are done."""
        every = self._training()
        fresh = {standing.number: standing.history.epochs[self.noted[standing.number] :] for standing in every}
        stopped = self._stopped({s.number: fresh[s.number] for s in every if not s.state})
        for standing in every:
            self.news.extend((standing, epoch) for epoch in fresh[standing.number])
            self.noted[standing.number] += len(fresh[standing.number])
        self._release({group: rows for group in self.groups if (rows := self._leaving(group, stopped))}, crew)
        self.groups = [group for group in self.groups if group.standings]

    def _stopped(self, fresh: Mapping[int, Sequence[Epoch]]) -> set[int]:
        """Return whom the judge stops, by what their epochs came to.

        Those who were paused are at later epochs than the others. Of those who trained several, it hears the earlier
        ones first, and has its say after the last.
        """
        if self.judge is None:
            return set()
        losses: dict[tuple[bool, int], dict[int, float]] = {}
        for number, epochs in fresh.items():
            for epoch in epochs:
                place = (epoch is epochs[-1], epoch.number if epoch is not epochs[-1] else -epoch.number)
                losses.setdefault(place, {})[number] = epoch.metrics[judged_by(epoch.metrics)]
        found = {place: set(self.judge(abs(place[1]), losses[place])) for place in sorted(losses)}
        return {number for (last, _), numbers in found.items() if last for number in numbers}

    def _leaving(self, group: Group, stopped: set[int]) -> dict[int, str]:
        """Return by row in what state a member ends."""
        found = {}
        for row, standing in enumerate(group.standings):
            state = standing.state or ("COMPLETE" if standing.ends() else "")
            found[row] = state or ("PRUNED" if standing.number in stopped else "")
        return {row: state for row, state in found.items() if state}

    def _release(self, leaving: Mapping[Group, Mapping[int, str]], crew: Crew) -> None:
        ending = [(group.standings[row], state) for group, rows in leaving.items() for row, state in rows.items()]
        found = crew.part([(group, list(rows)) for group, rows in leaving.items()])
        for (standing, state), states in zip(ending, chain.from_iterable(found), strict=True):
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
            self.runners = []  # what they were to be joined by is done
            self.groups, self.done = restored(self.groups, self.done, found)
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
            found = self._left_by(folder, {number: self.identities[number] for number in own})
            for value in (value for value in found["done"] if value["number"] in own):
                self.done.append(own[value["number"]])
                self.done[-1].restore(value)
            for value in found["groups"]:
                numbers = {member["number"] for member in value["members"]}
                if numbers & own.keys():
                    self.groups.append(stack_of(numbers, own, rows))
                    self.groups[-1].load_state_dict(value)

    def _left_by(self, folder: Path, paused: dict[int, str]) -> Mapping[str, Any]:
        """Return what a population that paused these candidates, given their identities, left of them."""
        runners = self.relay.take(folder) if self.relay is not None else None
        if runners is None:
            return checkpoint_of(folder, paused)
        self.runners.append(runners)
        return runners.state


def _numbers(groups: Sequence[Group]) -> set[int]:
    return {standing.number for group in groups for standing in group.standings}
