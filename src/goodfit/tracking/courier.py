"""Deliver outboxes: connect on first use, send what waits, close what the dead left open."""

from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from goodfit.files import digest_of_value, write_text
from goodfit.stage import Owner, failpoint
from goodfit.tracking.delivery import Delivery
from goodfit.tracking.outbox import Outbox, outboxes
from goodfit.tracking.redaction import redact
from goodfit.tracking.runs import Runs
from goodfit.tracking.store import Vanished, answering, connect, experiment_id

if TYPE_CHECKING:
    from mlflow import MlflowClient

KEEP = 7 * 86_400
"""Seconds for which a delivered outbox stays, should the database be lost soon after."""


class Courier:
    """Delivers outboxes to one experiment, from whichever thread calls it.

    Args:
        root: the workspace.
        uri: the absolute tracking URI.
        experiment: the experiment's name.
    """

    def __init__(self, root: Path, uri: str, experiment: str) -> None:
        self._root = root
        self._uri = uri
        self._store = digest_of_value(redact(uri))
        self._name = experiment
        self._client: MlflowClient | None = None
        self._experiments: dict[str, str] = {}
        self._deliveries: dict[Path, Delivery] = {}
        self._lock = RLock()
        self.refused: list[str] = []

    def client(self, experiment: str | None = None) -> "tuple[MlflowClient, str]":
        """Return the store's client and the id of an experiment, by default this courier's, connecting on first use.

        Raises:
            Outage: the store does not answer.
            ServiceError: it can never work.
        """
        with self._lock:
            name = experiment or self._name
            if self._client is None:
                self._client = connect(self._uri)
            if name not in self._experiments:
                self._experiments[name] = experiment_id(self._client, name, self._uri)
            return self._client, self._experiments[name]

    def deliver(self, outbox: Outbox) -> int:
        """Send what waits in one outbox; return the number of events sent.

        Raises:
            Outage: the store does not answer; what is left is sent another time.
        """
        with self._lock, outbox.sending() as allowed:
            if not allowed or not self.waits(outbox):
                return 0
            try:
                return self._pages(outbox)
            except Vanished:  # the database was lost or replaced: begin again, from the first event
                self._deliveries.pop(outbox.folder, None)
                self._experiments.clear()
                outbox.save(0, {}, self._store)
                return self._pages(outbox, lenient=True)

    def waits(self, outbox: Outbox) -> bool:
        """Return whether an outbox still holds what was not sent; another process may be at it."""
        return outbox.waiting(self._store) > 0

    def deliver_all(self, but: Outbox | None = None) -> int:
        """Send what earlier stages left behind, the oldest first, and drop outboxes that were delivered long ago."""
        count = 0
        for outbox in outboxes(self._root):
            if but is not None and outbox.folder == but.folder:
                continue
            if outbox.waiting():
                count += self.deliver(outbox)
                outbox.tidy()
            outbox.forget_after(KEEP)
        return count

    def run_id(self, attempt: str) -> str | None:
        """Return the run id of an attempt, as far as a delivery has found it out."""
        for delivery in list(self._deliveries.values()):
            if delivery.runs.confirmed(attempt):
                return delivery.runs.known[attempt]
        return None

    def close_orphans(self) -> int:
        """Mark as KILLED the RUNNING runs whose process is dead; return how many.

        Raises:
            Outage: the store does not answer.
        """
        client, experiment = self.client()
        count = 0
        with self._lock, answering():
            for run in Runs(client, experiment, {}).search("attributes.status = 'RUNNING'"):
                owner = Owner.parse(run.data.tags.get("goodfit.owner", ""))
                if owner is not None and not owner.alive():
                    client.set_tag(run.info.run_id, "goodfit.error", "its process died without a word")
                    client.set_terminated(run.info.run_id, "KILLED")
                    count += 1
        return count

    def _pages(self, outbox: Outbox, lenient: bool = False) -> int:
        state = outbox.state(self._store)
        delivery = self._delivery(outbox, state["runs"])
        delivery.lenient = lenient
        count = 0
        for events, offset in outbox.pages(state["offset"]):
            delivery.apply(events)
            outbox.save(offset, delivery.runs.known, self._store)
            failpoint("track.told")  # K14: the outbox knows that the store has it
            count += len(events)
        self._report(outbox, delivery)
        return count

    def _delivery(self, outbox: Outbox, runs: dict[str, str]) -> Delivery:
        if outbox.folder not in self._deliveries:
            first = outbox.first()
            client, experiment = self.client(first.body.get("experiment") if first else None)
            self._deliveries[outbox.folder] = Delivery(client, experiment, runs, outbox.kept)
        return self._deliveries[outbox.folder]

    def _report(self, outbox: Outbox, delivery: Delivery) -> None:
        if not delivery.refused:
            return
        lines = [f"{reason}\t{event.to_line()}" for event, reason in delivery.refused]
        self.refused += [f"{event.op}: {reason}" for event, reason in delivery.refused]
        delivery.refused.clear()
        path = outbox.folder / "refused.txt"
        write_text(path, (path.read_text() if path.exists() else "") + "".join(lines))
