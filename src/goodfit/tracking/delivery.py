"""Send events so that sending them twice changes nothing: search before creating, write only what lacks."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from goodfit.stage import failpoint
from goodfit.tracking import events as ops
from goodfit.tracking.events import TERMINAL, Event
from goodfit.tracking.image import Image, Point
from goodfit.tracking.model import log_model
from goodfit.tracking.runs import Runs
from goodfit.tracking.store import Rejection, Vanished, answering
from goodfit.tracking.trials import TrialWriter

if TYPE_CHECKING:
    from mlflow import MlflowClient

_BATCHED = (ops.PARAMS, ops.METRICS, ops.TAGS)


class Delivery:
    """Applies events to one experiment of a store.

    Args:
        client: of the store.
        experiment: the experiment's id.
        known: attempt to run id, as far as it was noted; grows while events are applied.
        kept: where the outbox keeps the file or folder of an artifact event.
    """

    def __init__(
        self, client: "MlflowClient", experiment: str, known: dict[str, str], kept: Callable[[str], Path]
    ) -> None:
        self._client = client
        self._experiment = experiment
        self._kept = kept
        self._images: dict[str, Image] = {}
        self.runs = Runs(client, experiment, known)
        self._trials = TrialWriter(client, experiment, self.runs)
        self.lenient = False
        self.refused: list[tuple[Event, str]] = []
        self._do: dict[str, Callable[[Event], None]] = {
            ops.OPEN: self.runs.open,
            ops.INPUTS: self._inputs,
            ops.ARTIFACT: self._artifact,
            ops.MODEL: self._model,
            ops.STATUS: self._status,
            ops.TRIAL: lambda event: self._trials.write([event]),
        }

    def apply(self, events: Iterable[Event]) -> None:
        """Send events in order; params, metrics and tags of a run, and trials, go together where they can.

        Raises:
            Outage: the store does not answer; what was sent until then may be sent again.
            Vanished: a run that these events belong to is gone; with `lenient` set, its events are refused instead.
        """
        waiting: dict[str, list[Event]] = {}
        trials: list[Event] = []
        for event in events:
            if event.op in _BATCHED:
                waiting.setdefault(event.run, []).append(event)
            elif event.op == ops.TRIAL:
                trials.append(event)
            else:
                self._send_trials(trials)
                self._send(waiting.pop(event.run, []))
                self._one(event, self._do[event.op])
        self._send_trials(trials)
        for rest in waiting.values():
            self._send(rest)
        failpoint("track.sent")  # the store has it all, the outbox does not know yet

    def _send(self, events: list[Event]) -> None:
        if not events:
            return
        try:
            with answering():
                self._batch(events)
        except (Rejection, Vanished) as error:
            if isinstance(error, Vanished) and not self.lenient:
                raise
            for event in events:  # find the one that the store refuses
                self._one(event, lambda single: self._batch([single]))

    def _send_trials(self, trials: list[Event]) -> None:
        """Send trials together and forget them; one that the store refuses is found by sending each by itself."""
        events, trials[:] = list(trials), []
        try:
            with answering():
                self._trials.write(events)
        except (Rejection, Vanished) as error:
            if isinstance(error, Vanished) and not self.lenient:
                raise
            for event in events:
                self._one(event, self._do[ops.TRIAL])

    def _one(self, event: Event, send: Callable[[Event], None]) -> None:
        try:
            with answering():
                send(event)
        except Rejection as error:
            self.refused.append((event, str(error)))
        except Vanished as error:
            if not self.lenient:
                raise
            self.refused.append((event, str(error)))

    def _batch(self, events: list[Event]) -> None:
        run_id = self.runs.id_of(events[0].run)
        image = self._image(run_id)
        params = self._params(image, [e for e in events if e.op == ops.PARAMS])
        points = self._points(image, [e for e in events if e.op == ops.METRICS])
        tags: dict[str, str] = {}
        for event in events:
            tags |= event.body["values"] if event.op == ops.TAGS else {}
        from mlflow.entities import Metric, Param, RunTag

        self._client.log_batch(
            run_id,
            metrics=[Metric(name, value, at, step) for name, value, at, step in points],
            params=[Param(name, value) for name, value in params.items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )
        image.add(params, points)

    def _params(self, image: Image, events: list[Event]) -> dict[str, str]:
        params: dict[str, str] = {}
        for event in events:
            lacking, other = image.lacking_params(event.body["values"])
            params |= {name: value for name, value in lacking.items() if name not in params}
            if other:
                self.refused.append((event, f"params cannot change in a run; they stay {json.dumps(other)}"))
        return params

    def _points(self, image: Image, events: list[Event]) -> list[Point]:
        points: dict[tuple[str, int], Point] = {}
        for event in events:
            for point in image.lacking_points(event.body["values"], event.body["step"], event.at):
                curve = event.body["step"] is not None
                key = (point[0], point[3])
                points[key] = points[key] if curve and key in points else point
        return list(points.values())

    def _inputs(self, event: Event) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        datasets = [
            DatasetInput(
                Dataset(item["name"], item["digest"], "local", json.dumps({"uri": item["path"]})),
                [InputTag("mlflow.data.context", item["name"])],
            )
            for item in event.body["datasets"]
        ]
        self._client.log_inputs(self.runs.id_of(event.run), datasets)

    def _artifact(self, event: Event) -> None:
        path = self._file(event)
        if path is not None:
            self._client.log_artifact(self.runs.id_of(event.run), str(path), event.body["folder"] or None)

    def _model(self, event: Event) -> None:
        path = self._file(event)
        if path is not None:
            log_model(self._client, self._experiment, self.runs.id_of(event.run), event, path)

    def _file(self, event: Event) -> Path | None:
        """Return the file or folder of an event; None when all is sent again and it was dropped: `record` has it."""
        path = self._kept(event.body["kept"])
        if path.exists():
            return path
        if self.lenient:
            return None
        raise Rejection(f"{path.name} is no longer kept")

    def _status(self, event: Event) -> None:
        run_id, status = self.runs.id_of(event.run), event.body["status"]
        if status in TERMINAL:
            self._client.set_terminated(run_id, status, event.at)
        else:
            self._client.update_run(run_id, status=status)

    def _image(self, run_id: str) -> Image:
        if run_id not in self._images:
            self._images[run_id] = Image(self._client, run_id, run_id in self.runs.made)
        return self._images[run_id]
