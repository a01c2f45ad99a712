"""What a search has asked and been told, kept in its journal: no finished trial is lost, and none is counted twice."""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from goodfit.errors import Fault, ServiceError, shorten
from goodfit.tuning.batch import Batch
from goodfit.tuning.journal import Journal
from goodfit.tuning.trial import Outcome, Proposal, Trial, epochs_of, finished

FORMAT = 3
NO_BUDGET = {"trials": 0, "timeout": None, "epochs": None, "looks": 0, "folds": 1}
OUTCOME = tuple(field.name for field in fields(Outcome))


class Ledger:
    """The proposals and trials of one search, over all processes that worked on it.

    Args:
        path: the journal.
        identity: what makes this search this search (space, seed, direction); another one's journal is refused.
        made_with: name and version of the sampling library; it is kept, and a later one is not refused.
        budget: how much there is to do; kept for whoever watches.

    Raises:
        ServiceError: the journal belongs to another search, or cannot be used.
    """

    def __init__(
        self, path: Path, identity: Mapping[str, Any], made_with: str = "", budget: Mapping[str, Any] | None = None
    ) -> None:
        self.record = Record()
        self.made_with = made_with
        self._identity = json.loads(json.dumps({"format": FORMAT, **identity}))
        with ExitStack() as stack:
            self._journal = stack.enter_context(Journal(path))
            self._take_up(self._journal.events)
            self._began = time.monotonic() - self.record.spent
            if not self._journal.events:
                self.record.budget |= budget or {}
                began = {"event": "began", "identity": self._identity, "made_with": made_with}
                self._write({**began, "budget": self.record.budget})
            self._closing = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @property
    def batch(self) -> Batch | None:
        """The latest batch while it is not run to its end; what a dead process left is to be run again as it was."""
        batch = self.record.batch
        return replace(batch, spent_seconds=self.seconds) if batch else None

    @property
    def trials(self) -> list[Trial]:
        """Finished trials, by number; second looks are not among them."""
        return self.record.trials

    @property
    def paused(self) -> list[Trial]:
        """Trials that wait for the next batch, by number, as if they had been pruned where they are."""
        return self.record.paused

    @property
    def rescored(self) -> list[Trial]:
        """Finished second looks at trials, by number."""
        return self.record.rescored

    @property
    def failures(self) -> int:
        """Trials that failed since the last time the search gave up."""
        return self.record.failures

    @property
    def seconds(self) -> float:
        """Seconds of searching so far, over all processes."""
        return time.monotonic() - self._began

    @property
    def counted(self) -> int:
        """Trials that finished with something learned: completed or pruned."""
        return self.record.counted

    def ask(self, proposals: Sequence[Proposal], may_pause: bool = False) -> None:
        """Record a batch, of these and of what is paused: all of it or, after a crash, nothing."""
        asked = [asdict(proposal) for proposal in proposals]
        self._write({"event": "asked", "proposals": asked, "may_pause": may_pause})
        self.record.asked(proposals, may_pause, self.seconds)

    def tell(self, trial: Trial) -> None:
        """Record what came of a proposal; a power cut within a second may lose it, and then it is found out again."""
        self._write({"event": "told", "outcome": _outcome(trial)}, durable=False)
        self.record.told(trial)

    def pause(self, trial: Trial) -> None:
        """Record how far a trial has come that goes on beside the next batch."""
        self._write({"event": "paused", "outcome": _outcome(trial)}, durable=False)
        self.record.pause(trial)

    def give_up(self) -> None:
        """Record that too many trials failed; the next start gets a fresh allowance of failures."""
        self._write({"event": "gave_up"})
        self.record.failures = 0

    def _write(self, event: dict[str, Any], durable: bool = True) -> None:
        self._journal.append({**event, "spent": self.seconds}, durable)

    def _take_up(self, events: Sequence[Mapping[str, Any]]) -> None:
        if events:
            self._refuse_stranger(events[0]["identity"])
            self.made_with = events[0]["made_with"]
        self.record.replay(events)

    def _refuse_stranger(self, found: Mapping[str, Any]) -> None:
        differing = [key for key in self._identity | found if self._identity.get(key) != found.get(key)]
        if differing:
            key = differing[0]
            rule = f"belongs to a search with another {key}: {shorten(found.get(key))}"
            remedy = "Delete it to start this search anew."
            raise ServiceError([Fault(str(self._journal.path), rule, self._identity.get(key), remedy)])


def _outcome(trial: Trial) -> dict[str, Any]:
    return {name: value for name in OUTCOME if (value := getattr(trial, name)) not in ("", {}, [])}


class Mark(NamedTuple):
    """How far a search was when its latest batch began.

    Args:
        counted: trials that had finished.
        rescored: second looks that had.
        epochs: epochs of training that all of these took.
        spent: seconds of searching.
    """

    counted: int = 0
    rescored: int = 0
    epochs: int = 0
    spent: float = 0.0


class Record:
    """What the events of a journal come to."""

    def __init__(self, events: Sequence[Mapping[str, Any]] = ()) -> None:
        self.failures = self.counted = self.epochs = 0
        self.spent = 0.0
        self.mark = Mark()
        self.trials: list[Trial] = []
        self.rescored: list[Trial] = []
        self._batch: Batch = Batch((), place=-1)
        self._told: dict[int, Trial] = {}
        self._paused: dict[int, Trial] = {}
        self.identity: dict[str, Any] = {}
        self.budget: dict[str, Any] = dict(NO_BUDGET)
        self.replay(events)

    @property
    def batch(self) -> Batch | None:
        """The latest batch while any of its trials is neither finished nor paused."""
        whole = len(self._told) + len(self._paused) == len(self._batch.proposals)
        return None if whole else replace(self._batch, told=tuple(self._told.values()))

    @property
    def paused(self) -> list[Trial]:
        """Trials that wait for the next batch, by number; none while a batch runs."""
        return [] if self.batch else [self._paused[number] for number in sorted(self._paused)]

    @property
    def training(self) -> int:
        """How many trials have been proposed and not finished."""
        return len(self._batch.proposals) - len(self._told)

    @property
    def all_epochs(self) -> int:
        """Epochs of training, those of paused trials as well."""
        return self.epochs + sum(map(epochs_of, self.paused))

    def replay(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Take up what a process before this one recorded."""
        for event in events:
            self.spent = float(event["spent"])
            match event["event"]:
                case "began":
                    self.identity, self.budget = event["identity"], NO_BUDGET | event["budget"]
                case "asked":
                    proposals = [Proposal(**proposal) for proposal in event["proposals"]]
                    self.asked(proposals, event["may_pause"], self.spent)
                case "told":
                    self.told(self._restored(Outcome(**event["outcome"])))
                case "paused":
                    self.pause(self._restored(Outcome(**event["outcome"])))
                case "gave_up":
                    self.failures = 0

    def asked(self, proposals: Sequence[Proposal], may_pause: bool = False, spent: float = 0.0) -> None:
        """Begin a batch, of these and of what is paused, after so many seconds of searching."""
        self.mark = Mark(self.counted, len(self.rescored), self.epochs, spent)
        paused = tuple(self.paused)
        going_on = [next(one for one in self._batch.proposals if one.number == trial.number) for trial in paused]
        self._batch = Batch(
            (*going_on, *proposals),
            earlier=tuple(self.trials),
            spent_epochs=self.epochs,
            place=self._batch.place + 1,
            paused=paused,
            may_pause=may_pause,
        )
        self._told, self._paused = {}, {}

    def pause(self, trial: Trial) -> None:
        """Let a trial of the batch wait for the next one."""
        self._paused[trial.number] = trial

    def told(self, trial: Trial) -> None:
        """End a trial of the batch."""
        self._told[trial.number] = trial
        self._paused.pop(trial.number, None)
        self.epochs += epochs_of(trial)
        if trial.rescores is not None:
            self.rescored = sorted([*self.rescored, trial], key=lambda one: one.number)
            return
        in_order = not self.trials or self.trials[-1].number < trial.number
        self.trials.append(trial)
        if not in_order:
            self.trials.sort(key=lambda one: one.number)
        self.failures += trial.state == "FAIL"
        self.counted += trial.state != "FAIL"

    def _restored(self, outcome: Outcome) -> Trial:
        proposal = next(one for one in self._batch.proposals if one.number == outcome.number)
        return replace(finished(proposal, outcome, self.identity.get("against")), restored=True)
