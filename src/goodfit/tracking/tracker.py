"""The tracker of one stage: opens runs, keeps what is said about them, and sends it in the background."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from goodfit.errors import ServiceError
from goodfit.stage import Owner, say
from goodfit.tracking import events as ops
from goodfit.tracking.courier import Courier
from goodfit.tracking.names import check_attempt, split_metrics, split_params, tag_values
from goodfit.tracking.outbox import FOLDER, Outbox
from goodfit.tracking.redaction import redact, redact_values
from goodfit.tracking.repeating import steady
from goodfit.tracking.run import Run, TrialState
from goodfit.tracking.section import TrackingSection, address
from goodfit.tracking.sender import Sender
from goodfit.tracking.store import Contention, check

PATIENCE = 15.0
"""Seconds to wait at the end of a stage for a tracker that answers to take the rest."""


class Tracker:
    """Records runs. Use it as a context manager: leaving it waits until all was sent, or says that it was kept.

    Args:
        section: the `tracking` section.
        root: the workspace.

    Raises:
        ServiceError: the store is there and can never work (a damaged database, a file store).
    """

    def __init__(self, section: TrackingSection, root: Path) -> None:
        self.uri = address(section, root)
        check(self.uri)
        self._root = root
        self._experiment = section.experiment
        self._courier = Courier(root, self.uri, section.experiment)
        self._outbox: Outbox | None = None
        self._sender: Sender | None = None
        self._opened: list[Run] = []

    def candidate(
        self,
        attempt: str,
        *,
        search: str | None = None,
        name: str = "",
        tags: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Run:
        """Open the candidate run of an attempt: the one that exists, the one of its search, or a new one.

        Args:
            attempt: the stage's key; for evaluate, the attempt in run.json.
            search: the attempt of the search whose settings it uses; in tune, the attempt itself.
            name: shown in the UI; by default made of the attempt.
            tags: of the run, such as those of `record_tags`.
            params: resolved options by dotted name.
        """
        check_attempt(attempt)
        self._start(attempt)
        return self._open(attempt, "candidate", name, {"search": search and check_attempt(search)}, tags, params)

    def trial(
        self,
        parent: Run,
        number: int,
        attempt: str | None = None,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> Run:
        """Open the run of a trial as a child of its search's run, by the parent's id: threads cannot lose that."""
        attempt = check_attempt(attempt or trial_attempt(parent.attempt, number))
        tags = {"goodfit.trial": number, **(tags or {})}
        return self._open(attempt, "trial", f"trial-{number:03d}", {"parent": parent.attempt}, tags, params)

    def finished_trial(
        self,
        parent: Run,
        number: int,
        *,
        state: TrialState,
        params: Mapping[str, Any],
        curves: Mapping[str, Sequence[float]],
        metrics: Mapping[str, float],
        seconds: float = 0.0,
        tags: Mapping[str, Any] | None = None,
        error: str = "",
    ) -> Run:
        """Record a trial that has ended, whole and closed, in one operation; saying it again changes nothing.

        Args:
            parent: its search's run.
            number: the trial's.
            state: how it ended; FAIL makes the run FAILED.
            params: resolved options by dotted name.
            curves: metric to its value after each epoch.
            metrics: single figures.
            seconds: how long it took.
            tags: of the run.
            error: what went wrong, kept whole as the artifact error.txt.
        """
        attempt = check_attempt(trial_attempt(parent.attempt, number))
        assert self._outbox is not None
        run = Run(attempt, self._send, self._outbox.keep, self._identity)
        sent, kept = split_params(params)
        finite, _ = split_metrics(metrics)
        split_metrics({name: 0.0 for name in curves})
        texts = {"goodfit.kind": "trial", "goodfit.owner": Owner.me(), "goodfit.trial": number, **(tags or {})}
        texts |= {"goodfit.trial_state": state} | ({"goodfit.error": error} if error else {})
        body = {
            "name": f"trial-{number:03d}",
            "tags": tag_values(texts),
            "experiment": self._experiment,
            "parent": parent.attempt,
            "params": sent,
            "curves": {name: [float(value) for value in values] for name, values in curves.items()},
            "metrics": finite,
            "took": int(seconds * 1000),
            "status": "FAILED" if state == "FAIL" else "FINISHED",
        }
        self._send(attempt, ops.TRIAL, body)
        if error:
            run.text("error.txt", redact(error))
        if kept:
            run.text("params.json", json.dumps(redact_values(params), indent=2, ensure_ascii=False, default=str))
        return run

    def failed_validation(
        self, attempt: str, report: Path, tags: Mapping[str, Any] | None = None, error: str = ""
    ) -> Run:
        """Record a candidate that never came to be because its data were refused, with the validation report."""
        run = self.candidate(attempt, name=f"validation-{attempt[:8]}", tags=tags)
        run.tags({"goodfit.stage": "validate", **({"goodfit.error": error} if error else {})})
        if report.exists():
            run.artifact(report, "reports")
        run.finish("FAILED")
        return run

    def retrain(self, attempt: str, name: str, tags: Mapping[str, Any]) -> Run:
        """Open the run of a retrain: what was decided about a model's champion, and on which evidence."""
        check_attempt(attempt)
        self._start(attempt)
        return self._open(attempt, "retrain", name, {}, tags, None)

    def close_orphans(self) -> int:
        """Mark as KILLED the RUNNING runs of dead processes; every tracker does it when it starts.

        Raises:
            Outage: the store does not answer.
        """
        return steady(self._courier.close_orphans, on=Contention)

    def sync(self) -> int:
        """Send everything that any stage left in the outbox, each once; return the number of events sent.

        Raises:
            Outage: the store does not answer.
        """
        return steady(self._courier.deliver_all, on=Contention)

    def flush(self, patience: float = PATIENCE) -> bool:
        """Wait until this stage's events were sent; False when they were not."""
        sent = self._sender is not None and self._sender.drain(patience)
        self._raise_fault()
        return sent

    def close(self) -> None:
        """Send the rest and stop; what cannot be sent stays in the outbox, and one line says so."""
        if self._sender is None or self._outbox is None:
            return
        self._sender.drain(PATIENCE)
        self._sender.stop()
        waiting = self._outbox.count_waiting()
        if waiting:
            say(f"tracking: spooled {waiting} operations in {FOLDER}; the next dvc repro sends them.")
        else:
            self._outbox.tidy()
        for line in self._courier.refused:
            say(f"tracking: refused by the store: {line}")

    def __enter__(self) -> "Tracker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for run in self._opened:
            if not run.closed:
                run.end(error)
        self.close()
        if error is None:
            self._raise_fault()

    def _start(self, attempt: str) -> None:
        if self._sender is not None:
            return
        self._outbox = Outbox(self._root / FOLDER / attempt)
        self._sender = Sender(self._courier, self._outbox, say)
        self._sender.start()

    def _open(
        self,
        attempt: str,
        kind: str,
        name: str,
        links: dict[str, Any],
        tags: Mapping[str, Any] | None,
        params: Mapping[str, Any] | None,
    ) -> Run:
        texts = tag_values({"goodfit.kind": kind, "goodfit.owner": Owner.me(), **(tags or {})})
        assert self._outbox is not None
        body = {"name": name or f"{kind}-{attempt[:8]}", "tags": texts, "experiment": self._experiment, **links}
        self._send(attempt, ops.OPEN, body)
        run = Run(attempt, self._send, self._outbox.keep, self._identity)
        self._opened.append(run)
        if params:
            run.params(params)
        return run

    def _send(self, attempt: str, op: str, body: dict[str, Any]) -> None:
        assert self._outbox is not None and self._sender is not None
        self._outbox.append(attempt, op, body)
        self._sender.wake()
        self._raise_fault()

    def _identity(self, attempt: str) -> str | None:
        return self._courier.run_id(attempt)

    def _raise_fault(self) -> None:
        if self._sender is not None and self._sender.fault is not None:
            raise ServiceError(self._sender.fault.faults)


def trial_attempt(search: str, number: int) -> str:
    """Return the key of a trial's run: its search's key and its number."""
    return f"{search}-{number}"
