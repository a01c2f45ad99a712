"""What the store already holds of one run, looked up only where it can matter."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient

Point = tuple[str, float, int, int]
"""A metric's name, value, time in milliseconds and step."""


class Image:
    """The params and metric points of a run in the store.

    Args:
        client: of the store.
        run_id: the run.
        new: True when this process has just created it, so that nothing needs to be asked.
    """

    def __init__(self, client: "MlflowClient", run_id: str, new: bool) -> None:
        self._client = client
        self._run_id = run_id
        self._new = new
        self._params: dict[str, str] | None = {} if new else None
        self._points: dict[str, dict[int, tuple[int, float]]] = {}

    def lacking_params(self, values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the params that are not there yet, and those that are there with another value, which stays."""
        held = self._held_params()
        lacking = {name: value for name, value in values.items() if name not in held}
        return lacking, {name: held[name] for name, value in values.items() if held.get(name, value) != value}

    def lacking_points(self, values: Mapping[str, float], step: int | None, at: int) -> list[Point]:
        """Return the points to send.

        Of a curve (`step` given) the first value of a step stays: an epoch that is repeated after a crash gives the
        same one. Of a single figure the latest counts, so its time must lie behind the one that is there.
        """
        points: list[Point] = []
        for name, value in values.items():
            held = self._held_points(name)
            last = held.get(step or 0)
            if last is not None and (step is not None or last[1] == value):
                continue
            time = max(at, last[0] + 1) if last is not None else at
            points.append((name, value, time, step or 0))
        return points

    def add(self, params: Mapping[str, str], points: list[Point]) -> None:
        """Note what was sent."""
        self._held_params().update(params)
        for name, value, at, step in points:
            self._held_points(name)[step] = (at, value)

    def _held_params(self) -> dict[str, str]:
        if self._params is None:
            self._params = dict(self._client.get_run(self._run_id).data.params)
        return self._params

    def _held_points(self, name: str) -> dict[int, tuple[int, float]]:
        if name not in self._points:
            history: list[Any] = [] if self._new else self._client.get_metric_history(self._run_id, name)
            latest = sorted((m.step, m.timestamp, m.value) for m in history)
            self._points[name] = {step: (at, value) for step, at, value in latest}
        return self._points[name]
