"""The result that lies in the workspace, told again as events: what `record` compares the tracker with."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from goodfit.files import digest_of_file, digest_of_value, read_json
from goodfit.stage import Owner
from goodfit.tracking import events as ops
from goodfit.tracking.description import describe_table, has_interval
from goodfit.tracking.events import Event
from goodfit.tracking.figures import cost_metrics, curves, evaluation_metrics, number, rows, shown_tables
from goodfit.tracking.names import tag_values, value_text
from goodfit.tracking.provenance import record_tags
from goodfit.tracking.run import Run

BUNDLE = "models/candidate"
TRAIN = "data/train.parquet"
TABLES = ("reports/training.csv", "reports/trials.csv", "reports/trial_curves.csv")
SMALL = ("run.json", "metrics.json", "reports/cost.json", "params.yaml", *TABLES)
ARTIFACTS = {"params.yaml": "", "run.json": "", "metrics.json": "", "artifacts/best.yaml": "", "reports": ""}
"""What every candidate run carries, and the artifact folder it goes to."""
_TRIAL_COLUMNS = ("number", "state", "value", "epochs", "duration_s", "gap", "parameters", "latency")


def digest(root: Path) -> str:
    """Return one digest of everything in the workspace that `record` would record."""
    paths = [*SMALL, f"{BUNDLE}/manifest.json"]
    return digest_of_value({path: digest_of_file(root / path) for path in paths if (root / path).exists()})


class Story:
    """The events that bring a tracker's run to what the workspace says.

    Args:
        root: the workspace.
        record: the content of its run.json.
    """

    def __init__(self, root: Path, record: dict[str, Any]) -> None:
        self._root = root
        self._record = record
        self._at = _milliseconds(record["created"])
        self._events: list[Event] = []
        self.attempt = str(record["attempt"])

    def candidate(self, lost: bool) -> list[Event]:
        """Return the candidate's events: from its opening when the tracker has lost it, else what may lack."""
        self._events = []
        run = self._run(self.attempt)
        if lost:
            tags = {"goodfit.kind": "candidate", "goodfit.recreated": "true", **record_tags(self._record)}
            self._open(self.attempt, f"candidate-{self.attempt[:8]}", tags, {"search": self._record.get("search")})
        run.tags(record_tags(self._record))
        run.params(self._record.get("params", {}))
        run.inputs(self._record["inputs"])
        for _, epoch, metrics in curves(self._root / "reports/training.csv"):
            run.metrics(metrics, epoch)
        run.metrics(self._record.get("figures", {}))
        self._evaluation(run)
        self._files(run)
        if lost:
            self._pass(self._record.get("figures", {}).get("cost/seconds"))
            run.finish("FINISHED")
        return self._events

    def trials(self, recorded: Callable[[str, str], bool]) -> list[Event]:
        """Return the events of the trials that are not yet recorded.

        Args:
            recorded: tells of an attempt and a trial state whether the tracker has it so.
        """
        self._events = []
        by_trial: dict[int, list[tuple[int, dict[str, float]]]] = {}
        for trial, epoch, metrics in curves(self._root / "reports/trial_curves.csv"):
            by_trial.setdefault(trial, []).append((epoch, metrics))
        for row in rows(self._root / "reports/trials.csv"):
            attempt = f"{self._record.get('search') or self.attempt}-{row['number']}"
            if not recorded(attempt, row["state"]):
                self._trial(attempt, row, by_trial.get(int(row["number"]), []))
        return self._events

    def _trial(self, attempt: str, row: dict[str, str], curve: list[tuple[int, dict[str, float]]]) -> None:
        tags = {"goodfit.kind": "trial", "goodfit.recreated": "true", "goodfit.trial": row["number"]}
        tags |= record_tags(self._record)
        del tags["goodfit.params_digest"]  # that one is the candidate's own
        self._open(attempt, f"trial-{int(row['number']):03d}", tags, {"parent": self.attempt})
        run = self._run(attempt)
        searched = {name: text for name, text in row.items() if name not in _TRIAL_COLUMNS}
        fixed = {name: value for name, value in self._record.get("params", {}).items() if name not in searched}
        known = {name: text for name, text in searched.items() if text and not name.startswith("choose.")}
        run.params({name: value_text(value) for name, value in fixed.items()} | known)  # none where a condition failed
        for epoch, metrics in curve:
            run.metrics(metrics, epoch)
        value = number(row["value"])
        run.metrics({"objective": value} if value is not None else {})
        self._pass(number(row["duration_s"]))
        run.finish_trial(row["state"])  # type: ignore[arg-type]  # one of three words, by the contract of trials.csv

    def _pass(self, seconds: float | None) -> None:
        """Let the time go by that the work took, so that the run's duration tells it."""
        self._at += int(1000 * (seconds or 0.0))

    def _evaluation(self, run: Run) -> None:
        if (self._root / "metrics.json").exists():
            run.metrics(evaluation_metrics(read_json(self._root / "metrics.json")))
            run.tags(shown_tables())
        if (self._root / "reports/cost.json").exists():
            run.metrics(cost_metrics(read_json(self._root / "reports/cost.json")))

    def _files(self, run: Run) -> None:
        for path, folder in ARTIFACTS.items():
            if (self._root / path).exists():
                run.artifact(self._root / path, folder)
        if (self._root / BUNDLE).exists() and (self._root / TRAIN).exists():
            description = describe_table(self._root / TRAIN, interval=has_interval(self._root / BUNDLE))
            run.model_of(self._root / BUNDLE, description)

    def _open(self, attempt: str, name: str, tags: dict[str, Any], links: dict[str, Any]) -> None:
        texts = tag_values({**tags, "goodfit.owner": Owner.me()})
        self._send(attempt, ops.OPEN, {"name": name, "tags": texts, **links})

    def _run(self, attempt: str) -> Run:
        return Run(attempt, self._send, lambda path: str(path.relative_to(self._root)), lambda _: None)

    def _send(self, attempt: str, op: str, body: dict[str, Any]) -> None:
        self._at += 1
        self._events.append(Event(attempt, op, self._at, body))


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)
