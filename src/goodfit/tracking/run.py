"""One run as the pipeline sees it: say what happened, and it will be recorded, now or later."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from goodfit.errors import GoodfitError, Interrupted
from goodfit.files import digest_of_path
from goodfit.tracking import events as ops
from goodfit.tracking.description import describe, has_interval
from goodfit.tracking.names import split_metrics, split_params, tag_values
from goodfit.tracking.redaction import redact, redact_values

if TYPE_CHECKING:
    import pandas as pd

Status = Literal["FINISHED", "FAILED", "KILLED", "SCHEDULED"]
TrialState = Literal["COMPLETE", "PRUNED", "FAIL"]
Send = Callable[[str, str, dict[str, Any]], None]
Keep = Callable[[Path], str]


class Run:
    """A candidate or a trial.

    As a context manager it ends as the block ends: SCHEDULED when nothing was said (the next stage goes on with it),
    FAILED on an error, KILLED on a signal.

    Args:
        attempt: the key that identifies the run for ever.
        send: takes attempt, operation and arguments.
        keep: copies a file or folder away and returns its name there.
        identity: returns the MLflow run id, or None while it is not known.
    """

    def __init__(self, attempt: str, send: Send, keep: Keep, identity: Callable[[str], str | None]) -> None:
        self.attempt = attempt
        self._send = send
        self._keep = keep
        self._identity = identity
        self._closed = False

    @property
    def id(self) -> str | None:
        """The MLflow run id; None until the tracker has answered."""
        return self._identity(self.attempt)

    def params(self, values: Mapping[str, Any]) -> None:
        """Record resolved options by dotted name; a name that was recorded before cannot change.

        What MLflow would cut or refuse is named in the tag `goodfit.kept`, and the artifact params.json holds it whole.
        """
        sent, kept = split_params(values)
        self._send(self.attempt, ops.PARAMS, {"values": sent})
        if kept:
            self.tags({"goodfit.kept": ", ".join(sorted(kept))})
            self.text("params.json", json.dumps(redact_values(values), indent=2, ensure_ascii=False, default=str))

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Record metrics; those of one step (an epoch, say) are kept once, single figures (no step) may be corrected.

        NaN and infinity have no place in a metric: they become the tag `goodfit.not_finite.<name>`.
        """
        finite, others = split_metrics(values)
        if finite:
            self._send(self.attempt, ops.METRICS, {"values": finite, "step": step})
        if others:
            where = "" if step is None else f" at step {step}"
            self.tags({f"goodfit.not_finite.{name}": f"{value}{where}" for name, value in others.items()})

    def tags(self, values: Mapping[str, Any]) -> None:
        """Set tags; the latest value counts."""
        self._send(self.attempt, ops.TAGS, {"values": tag_values(values)})

    def inputs(self, digests: Mapping[str, str]) -> None:
        """Record data files by path and DVC md5 as the run's inputs, named after the file: train, valid, test."""
        datasets = [{"name": Path(path).stem, "path": path, "digest": md5} for path, md5 in digests.items()]
        if datasets:
            self._send(self.attempt, ops.INPUTS, {"datasets": datasets})

    def artifact(self, path: Path, folder: str = "") -> None:
        """Record a file or a folder as it is now."""
        self._send(self.attempt, ops.ARTIFACT, {"kept": self._keep(path), "folder": folder})

    def text(self, name: str, content: str, folder: str = "") -> None:
        """Record a text file."""
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / name
            path.write_text(content, encoding="utf-8")
            self.artifact(path, folder)

    def model(self, bundle: Path, example: "pd.DataFrame", classes: tuple[str, ...] = ()) -> None:
        """Record the bundle as an MLflow model that takes raw rows.

        Args:
            bundle: its folder.
            example: a few raw rows with the feature columns; their types are the signature.
            classes: of a classification, in order; empty for a regression.
        """
        self.model_of(bundle, describe(example, classes, interval=has_interval(bundle)))

    def model_of(self, bundle: Path, description: dict[str, Any]) -> None:
        """Record the bundle with a signature and example that are already JSON-able (see `model`)."""
        body = {**description, "digest": digest_of_path(bundle), "kept": self._keep(bundle)}
        self._send(self.attempt, ops.MODEL, body)

    def finish(self, status: Status = "FINISHED") -> None:
        """Close the run, or hand it on (SCHEDULED); what follows is still recorded, but the status stays."""
        self._closed = True
        self._send(self.attempt, ops.STATUS, {"status": status})

    def finish_trial(self, state: TrialState, error: str = "") -> None:
        """Close a trial: FAILED when it failed, FINISHED when it completed or was pruned."""
        self.tags({"goodfit.trial_state": state, **({"goodfit.error": error} if error else {})})
        self.finish("FAILED" if state == "FAIL" else "FINISHED")

    def end(self, error: BaseException | None) -> None:
        """Close the run as its work ended, unless it was closed: handed on, FAILED, or KILLED by a signal."""
        if error is not None:
            self.tags({"goodfit.error": summary(error)})
            self.finish("KILLED" if isinstance(error, Interrupted | KeyboardInterrupt | SystemExit) else "FAILED")
        elif not self._closed:
            self.finish("SCHEDULED")

    @property
    def closed(self) -> bool:
        """Whether a status was said."""
        return self._closed

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)


def summary(error: BaseException) -> str:
    """Return what went wrong on one line, without secrets."""
    name = "" if isinstance(error, GoodfitError | Interrupted) else f"{type(error).__name__}: "
    return redact(name + (str(error).splitlines() or [""])[0])[:500]
