"""What happened to a run, as one line that can be sent again without harm."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

OPEN, PARAMS, METRICS, TAGS, INPUTS, ARTIFACT, MODEL, STATUS, TRIAL = (
    "open",
    "params",
    "metrics",
    "tags",
    "inputs",
    "artifact",
    "model",
    "status",
    "trial",
)
TERMINAL = ("FINISHED", "FAILED", "KILLED")


@dataclass(frozen=True)
class Event:
    """One tracking operation.

    Attributes:
        run: the attempt of the run it belongs to.
        op: what it does.
        at: when, in milliseconds since the epoch; fixed here, so that sending twice gives one point.
        body: its arguments, JSON-able.
    """

    run: str
    op: str
    at: int
    body: dict[str, Any]

    def to_line(self) -> str:
        """Return the event as one line of JSON."""
        content = {"run": self.run, "op": self.op, "at": self.at, "body": self.body}
        return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n"

    @classmethod
    def from_line(cls, line: str) -> "Event | None":
        """Read a line; None when it is torn, as the last line of a killed process may be."""
        try:
            value = json.loads(line)
            return cls(str(value["run"]), str(value["op"]), int(value["at"]), dict(value["body"]))
        except (ValueError, KeyError, TypeError):
            return None


def parse(lines: Iterable[str]) -> list[Event]:
    """Return the events of whole lines, in order."""
    return [event for event in map(Event.from_line, lines) if event is not None]
