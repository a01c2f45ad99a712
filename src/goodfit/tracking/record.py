"""Make the tracker agree with the workspace, whatever DVC restored, someone deleted, or never arrived."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from goodfit.tracking.courier import Courier
from goodfit.tracking.delivery import Delivery
from goodfit.tracking.events import TERMINAL
from goodfit.tracking.provenance import read_record
from goodfit.tracking.receipt import CURRENT, RECORDED, keep_receipt, still_true
from goodfit.tracking.repeating import steady
from goodfit.tracking.runs import ATTEMPT, PARENT, Runs
from goodfit.tracking.section import TrackingSection, address
from goodfit.tracking.store import Contention, Outage, answering, check
from goodfit.tracking.workspace import Story, digest

if TYPE_CHECKING:
    from mlflow import MlflowClient

Outcome = Literal["unchanged", "updated", "recreated", "offline", "nothing"]
_SENTENCES: dict[Outcome, str] = {
    "unchanged": "tracking: run {run} is current, and up to date",
    "updated": "tracking: run {run} is current",
    "recreated": "tracking: run {run} is current; the tracker did not have it, so it was made again from the files",
    "offline": "tracking: not reachable ({reason}); the next dvc repro records the result",
    "nothing": "tracking: no finished result to record",
}


@dataclass(frozen=True)
class Recorded:
    """What `record` found and did; `run_id` is None when there is nothing to record or no tracker."""

    outcome: Outcome
    run_id: str | None = None
    sent: int = 0
    reason: str = ""
    refused: tuple[str, ...] = ()

    def __str__(self) -> str:
        line = _SENTENCES[self.outcome].format(run=self.run_id, reason=self.reason)
        return "\n".join([line, *(f"tracking: refused by the store: {text}" for text in self.refused)])


def record(section: TrackingSection, root: Path) -> Recorded:
    """Send what waits, close what the dead left open, complete or re-create the workspace's run, and mark it current.

    Raises:
        ServiceError: the store is there and can never work.
    """
    uri = address(section, root)
    check(uri)
    content = digest(root)
    unchanged = still_true(root, uri, content)
    if unchanged:
        return Recorded("unchanged", unchanged)
    courier = Courier(root, uri, section.experiment)
    try:
        sent = steady(courier.deliver_all, on=Contention)
        steady(courier.close_orphans, on=Contention)
        result = read_record(root)
        if result is None:
            return Recorded("nothing", sent=sent)
        outcome, run_id, refused = steady(lambda: _reconcile(*courier.client(), root, result, content), on=Contention)
    except Outage as error:
        return Recorded("offline", reason=str(error))
    keep_receipt(root, uri, content, run_id)
    return Recorded(outcome, run_id, sent, refused=refused)


def _reconcile(
    client: "MlflowClient", experiment: str, root: Path, result: dict[str, Any], content: str
) -> tuple[Outcome, str, tuple[str, ...]]:
    delivery = Delivery(client, experiment, {}, lambda name: root / name)
    story = Story(root, result)
    with answering():
        found = delivery.runs.of_attempt(story.attempt)
        if not found or found[0].data.tags.get(RECORDED) != content or not _artifacts_there(found[0]):
            delivery.apply(story.candidate(lost=not found))
        run_id = delivery.runs.id_of(story.attempt)
        delivery.apply(story.trials(_Trials(delivery.runs, run_id)))
        if found and found[0].info.status != "FINISHED":
            client.set_terminated(run_id, "FINISHED")
        _mark_current(client, delivery.runs, run_id, content)
    refused = tuple(f"{event.op} of {event.run[:12]}: {reason}" for event, reason in delivery.refused)
    return ("updated" if found else "recreated"), run_id, refused


def _artifacts_there(run: Any) -> bool:
    uri = str(run.info.artifact_uri).removeprefix("file://")
    return not uri.startswith("/") or Path(uri).is_dir()


class _Trials:
    """Tells which trials the tracker holds, with one query for all of them."""

    def __init__(self, runs: Runs, parent: str) -> None:
        children = runs.search(f"tags.`{PARENT}` = '{parent}'")
        self._states = {run.data.tags.get(ATTEMPT, ""): run for run in children}
        self._runs = runs

    def __call__(self, attempt: str, state: str) -> bool:
        run = self._states.get(attempt)
        if run is None:
            found = self._runs.of_attempt(attempt)  # a child of another candidate of the same search
            run = found[0] if found else None
        if run is None:
            return False
        return run.data.tags.get("goodfit.trial_state") == state and run.info.status in TERMINAL


def _mark_current(client: "MlflowClient", runs: Runs, run_id: str, content: str) -> None:
    from mlflow.entities import RunTag

    for other in runs.search(f"tags.`{CURRENT}` = 'true'"):
        if other.info.run_id != run_id:
            client.set_tag(other.info.run_id, CURRENT, "false")
    client.log_batch(run_id, tags=[RunTag(RECORDED, content), RunTag(CURRENT, "true")])
