"""Record finished trials many at a time: in a database one transaction for all, on a server three requests for each.

Through MLflow's own client a trial costs about 30 ms of a database's time, most of it in sessions and commits; as rows
of one transaction it costs few. The rows are those that MLflow's store writes; a test compares them column by column.
"""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from goodfit.stage import failpoint
from goodfit.tracking.events import TERMINAL, Event
from goodfit.tracking.runs import ATTEMPT, PARENT, Runs
from goodfit.tracking.store import database_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST_METRICS, MOST_PARAMS = 1000, 100
"""What MLflow takes in one request."""
Row = dict[str, Any]


class TrialWriter:
    """Writes the runs of finished trials, each once.

    Args:
        client: of the store.
        experiment: the experiment's id.
        runs: where a search's run is found, and trials' runs are noted.
    """

    def __init__(self, client: "MlflowClient", experiment: str, runs: Runs) -> None:
        self._client, self._experiment, self._runs = client, experiment, runs
        self._held: dict[str, dict[str, tuple[str, str]]] = {}

    def write(self, events: Sequence[Event]) -> None:
        """Write the trials that the store lacks; one that is there and closed is complete, for it is closed last."""
        try:
            lacking = [event for event in events if self._status(event) not in TERMINAL]
            store = database_of(self._client)
            fresh = [event for event in lacking if self._status(event) is None] if store is not None else []
            if fresh:
                self._insert(store, fresh)
            for event in lacking:
                if event not in fresh:
                    self._request(event)
        except BaseException:
            self._held.clear()  # what came of it is not known: look again
            raise

    def _status(self, event: Event) -> str | None:
        """Return the status of a trial's run, None while there is none."""
        parent = self._runs.id_of(event.body["parent"])
        if parent not in self._held:
            found = self._runs.search(f"tags.`{PARENT}` = '{parent}'")
            self._held[parent] = {r.data.tags.get(ATTEMPT, ""): (r.info.run_id, r.info.status) for r in found}
        run_id, status = self._held[parent].get(event.run, (None, None))
        if run_id is not None:
            self._runs.remember(event.run, run_id)
        return status

    def _note(self, event: Event, run_id: str) -> None:
        self._held[self._runs.id_of(event.body["parent"])][event.run] = (run_id, event.body["status"])
        self._runs.remember(event.run, run_id)

    def _tags(self, event: Event) -> dict[str, str]:
        return {**event.body["tags"], ATTEMPT: event.run, PARENT: self._runs.id_of(event.body["parent"])}

    def _request(self, event: Event) -> None:
        from mlflow.entities import Metric, Param

        held = self._held[self._runs.id_of(event.body["parent"])].get(event.run)
        began = event.at - event.body["took"]
        run_id = held[0] if held else self._created(event, began)
        points = [Metric(row["key"], row["value"], row["timestamp"], row["step"]) for row in points_of(event)]
        params = [Param(name, value) for name, value in event.body["params"].items()]
        for start in range(0, max(len(points), 1), MOST_METRICS):
            self._client.log_batch(run_id, metrics=points[start : start + MOST_METRICS])
        for start in range(0, len(params), MOST_PARAMS):
            self._client.log_batch(run_id, params=params[start : start + MOST_PARAMS])
        self._client.set_terminated(run_id, event.body["status"], event.at)
        self._note(event, run_id)

    def _created(self, event: Event, began: int) -> str:
        run = self._client.create_run(self._experiment, began, self._tags(event), event.body["name"])
        failpoint("track.created")  # the run is in the store, we have not noted its id
        return str(run.info.run_id)

    def _insert(self, store: Any, events: Sequence[Event]) -> None:
        """Insert every row of these trials in one transaction: all of them or none."""
        from mlflow.store.tracking.dbmodels import models
        from sqlalchemy import insert

        location = self._client.get_experiment(self._experiment).artifact_location
        made = {event.run: uuid.uuid4().hex for event in events}
        tables: dict[Any, list[Row]] = {
            models.SqlRun: [self._run_row(event, made[event.run], location) for event in events],
            models.SqlTag: [row for event in events for row in self._tag_rows(event, made[event.run])],
            models.SqlParam: [row for event in events for row in _param_rows(event, made[event.run])],
            models.SqlMetric: [row | {"run_uuid": made[e.run]} for e in events for row in points_of(e)],
            models.SqlLatestMetric: [row | {"run_uuid": made[e.run]} for e in events for row in _latest(e)],
        }
        with store.engine.begin() as connection:
            for model, rows in tables.items():
                if rows:
                    connection.execute(insert(model), rows)
        failpoint("track.created")  # the runs are in the store, we have not noted their ids
        for event in events:
            self._note(event, made[event.run])

    def _run_row(self, event: Event, run_id: str, location: str) -> Row:
        empty = {"source_name": "", "entry_point_name": "", "source_version": "", "deleted_time": None}
        return empty | {
            "run_uuid": run_id,
            "name": event.body["name"],
            "artifact_uri": f"{location.rstrip('/')}/{run_id}/artifacts",
            "experiment_id": int(self._experiment),
            "source_type": "UNKNOWN",
            "user_id": "unknown",
            "status": event.body["status"],
            "start_time": event.at - event.body["took"],
            "end_time": event.at,
            "lifecycle_stage": "active",
        }

    def _tag_rows(self, event: Event, run_id: str) -> list[Row]:
        tags = {"mlflow.runName": event.body["name"], **self._tags(event)}
        return [{"run_uuid": run_id, "key": key, "value": value} for key, value in tags.items()]


def points_of(event: Event) -> list[Row]:
    """Return the metric points of a trial: its curves by epoch, its single figures at step 0."""
    curves = [
        {"key": name, "value": value, "timestamp": event.at, "step": step, "is_nan": False}
        for name, values in event.body["curves"].items()
        for step, value in enumerate(values, 1)
    ]
    single = [
        {"key": name, "value": value, "timestamp": event.at, "step": 0, "is_nan": False}
        for name, value in event.body["metrics"].items()
    ]
    return curves + single


def _latest(event: Event) -> list[Row]:
    return list({row["key"]: row for row in points_of(event)}.values())


def _param_rows(event: Event, run_id: str) -> list[Row]:
    return [{"run_uuid": run_id, "key": key, "value": value} for key, value in event.body["params"].items()]
