"""What a search has asked and been told, kept in its journal: no finished trial is lost, and none is counted twice."""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from goodfit.errors import Fault, ServiceError, shorten
from goodfit.tuning.journal import Journal
from goodfit.tuning.trial import Outcome, Proposal, Trial, finished

FORMAT = 1


class Ledger:
    """The proposals and trials of one search, over all processes that worked on it.

    Args:
        path: the journal.
        identity: what makes this search this search (space, seed, direction); another one's journal is refused.

        made_with: name and version of the sampling library; it is kept, and a later one is not refused.

    Raises:
        ServiceError: the journal belongs to another search, or cannot be used.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], made_with: str = "") -> None:
        self.failures = 0
        self.made_with = made_with
        self._trials: dict[int, Trial] = {}
        self._pending: dict[int, Proposal] = {}
        self._identity = json.loads(json.dumps({"format": FORMAT, **identity}))
        with ExitStack() as stack:
            self._journal = stack.enter_context(Journal(path))
            self._replay(self._journal.events)
            self._began = time.monotonic() - self._spent(self._journal.events)
            if not self._journal.events:
                self._write({"event": "began", "identity": self._identity, "made_with": made_with})
            self._closing = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @property
    def pending(self) -> list[Proposal]:
        """Proposals without an outcome, by number; those that a dead process left are to be run again as they are."""
        return [self._pending[number] for number in sorted(self._pending)]

    @property
    def trials(self) -> list[Trial]:
        """Finished trials, by number."""
        return [self._trials[number] for number in sorted(self._trials)]

    @property
    def seconds(self) -> float:
        """Seconds of searching so far, over all processes."""
        return time.monotonic() - self._began

    @property
    def counted(self) -> int:
        """Trials that finished with something learned: completed or pruned."""
        return sum(trial.state != "FAIL" for trial in self._trials.values())

    def ask(self, proposals: Sequence[Proposal]) -> None:
        """Record a batch: all of it or, after a crash, nothing."""
        self._write({"event": "asked", "proposals": [asdict(proposal) for proposal in proposals]})
        self._asked(proposals)

    def tell(self, trial: Trial) -> None:
        """Record what came of a proposal."""
        outcome = {key: value for key, value in asdict(trial).items() if key not in ("params", "seed", "restored")}
        self._write({"event": "told", "outcome": outcome})
        self._told(trial)

    def give_up(self) -> None:
        """Record that too many trials failed; the next start gets a fresh allowance of failures."""
        self._write({"event": "gave_up"})
        self.failures = 0

    def _write(self, event: dict[str, Any]) -> None:
        self._journal.append({**event, "spent": self.seconds})

    def _replay(self, events: Sequence[Mapping[str, Any]]) -> None:
        for event in events:
            match event["event"]:
                case "began":
                    self._refuse_stranger(event["identity"])
                    self.made_with = event["made_with"]
                case "asked":
                    self._asked([Proposal(**proposal) for proposal in event["proposals"]])
                case "told":
                    outcome = Outcome(**event["outcome"])
                    self._told(replace(finished(self._pending[outcome.number], outcome), restored=True))
                case "gave_up":
                    self.failures = 0

    def _asked(self, proposals: Sequence[Proposal]) -> None:
        self._pending |= {proposal.number: proposal for proposal in proposals}

    def _told(self, trial: Trial) -> None:
        del self._pending[trial.number]
        self._trials[trial.number] = trial
        self.failures += trial.state == "FAIL"

    def _refuse_stranger(self, found: Mapping[str, Any]) -> None:
        differing = [key for key in self._identity | found if self._identity.get(key) != found.get(key)]
        if differing:
            key = differing[0]
            rule = f"belongs to a search with another {key}: {shorten(found.get(key))}"
            remedy = "Delete it to start this search anew."
            raise ServiceError([Fault(str(self._journal.path), rule, self._identity.get(key), remedy)])

    @staticmethod
    def _spent(events: Sequence[Mapping[str, Any]]) -> float:
        return float(events[-1]["spent"]) if events else 0.0
