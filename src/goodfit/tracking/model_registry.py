"""The registered model of a project: its versions, its champion, and the turn to change it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goodfit.errors import Fault, ServiceError
from goodfit.tracking.courier import Courier
from goodfit.tracking.repeating import steady
from goodfit.tracking.runs import Runs
from goodfit.tracking.section import TrackingSection, address
from goodfit.tracking.store import Outage, Rejection, Vanished, check
from goodfit.tracking.succession import Succession
from goodfit.tracking.turn import turn
from goodfit.tracking.versions import Versions
from goodfit.tracking.write_once import Notes, open_notes

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class RecordedRun:
    """A run as it was recorded.

    Args:
        id: MLflow's.
        status: FINISHED, FAILED, KILLED, RUNNING or SCHEDULED.
        began: seconds since the epoch.
        params, tags: by name.
        metrics: the latest values.
    """

    id: str
    status: str
    began: float
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]


class ModelRegistry:
    """One registered model.

    Args:
        client: of the store.
        experiment: the id of the project's experiment.
        uri: the tracking URI.
        model: the registered model's name.
        make: register it if it is not there.
    """

    def __init__(self, client: "MlflowClient", experiment: str, uri: str, model: str, *, make: bool = True) -> None:
        self._client, self._experiment = client, experiment
        self.model = model
        self.notes: Notes = open_notes(client, experiment, model, make=make)
        self.versions = Versions(client, uri, model)
        self.succession = Succession(self.notes, self.versions)

    def turn(self) -> AbstractContextManager[int]:
        """Hold the turn to retrain this model; see `goodfit.tracking.turn`."""
        return turn(self.notes, self.model)

    def run(self, run_id: str) -> RecordedRun | None:
        """Return a run, None where there is none."""
        try:
            return _recorded(steady(lambda: self._client.get_run(run_id)))
        except (Vanished, Rejection):
            return None

    def run_of(self, attempt: str) -> str | None:
        """Return the id of the run of an attempt, None where the store has none."""
        found = steady(lambda: Runs(self._client, self._experiment, {}).of_attempt(attempt))
        return str(found[0].info.run_id) if found else None

    def retrains(self) -> list[RecordedRun]:
        """Return the retrain runs of this model, the first first."""
        condition = f"tags.`goodfit.kind` = 'retrain' AND tags.`goodfit.model` = '{self.model}'"
        return [_recorded(run) for run in steady(lambda: Runs(self._client, self._experiment, {}).search(condition))]


@contextmanager
def model_registry(section: TrackingSection, root: Path, *, make: bool = True) -> Iterator[ModelRegistry]:
    """Open the project's registered model; within the block, what the store does wrong becomes a ServiceError.

    Args:
        section: the `tracking` section.
        root: the workspace.
        make: register the model if it is not there.

    Raises:
        ServiceError: the store does not answer, or refuses.
        ConfigurationError: the model is registered, and not by goodfit; or it is not registered.
    """
    uri = address(section, root)
    check(uri)
    try:
        client, experiment = _connected(Courier(root, uri, section.experiment))
        yield ModelRegistry(client, experiment, uri, section.model_name, make=make)
    except (Outage, Rejection, Vanished) as error:
        rule = "does not answer" if isinstance(error, Outage) else "refuses"
        remedy = "Nothing was changed that the next retrain does not finish. Start the store, then try again."
        raise ServiceError([Fault("tracking", f"{rule}: {error}", None, remedy)]) from error


def _connected(courier: Courier) -> "tuple[MlflowClient, Any]":
    """Connect; many processes that open one database at once keep each other waiting for a moment."""
    try:
        return courier.client()
    except Outage:
        time.sleep(1.0)
        return courier.client()


def _recorded(run: Any) -> RecordedRun:
    data, info = run.data, run.info
    return RecordedRun(
        info.run_id, info.status, (info.start_time or 0) / 1000, dict(data.params), dict(data.tags), dict(data.metrics)
    )
