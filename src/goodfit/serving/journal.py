"""What was asked and answered, kept for drift: JSON Lines in parts, bounded in bytes, never in the way of an answer."""

import json
import os
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from goodfit.files import remove
from goodfit.serving.parts import parts_in

WAITING = 1000
"""Requests that may wait for the disk; what comes beyond them is counted and not kept."""


@dataclass(frozen=True)
class Entry:
    """One request.

    Args:
        version: of the model that answered, None for a bundle in a folder.
        rows: as they came.
        answers: one for each row.
    """

    version: int | None
    rows: Sequence[Mapping[str, Any]]
    answers: Sequence[Mapping[str, Any]]


class Journal:
    """A folder of parts, written by a thread of its own; the oldest part goes when there are too many.

    Args:
        folder: of the parts, readable by its owner alone: rows may be personal data.
        part_bytes: size from which on a new part begins.
        parts: how many are kept, those of earlier processes included.
    """

    def __init__(self, folder: Path, part_bytes: int = 8 << 20, parts: int = 16) -> None:
        self.folder, self._part_bytes, self._parts = folder, part_bytes, parts
        self._queue: queue.Queue[Entry | None] = queue.Queue(WAITING)
        self._path: Path | None = None
        self._count = 0
        self.written = 0
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def add(self, entry: Entry) -> None:
        """Keep a request, or count it as dropped if the disk is too slow; never waits."""
        try:
            self._queue.put_nowait(entry)
        except queue.Full:
            self.dropped += len(entry.rows)

    def close(self) -> None:
        """Write what waits, and stop."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (entry := self._queue.get()) is not None:
            try:
                self._write(entry)
                self.written += len(entry.rows)
            except (OSError, ValueError):  # a full disk costs the record, not the answers
                self.dropped += len(entry.rows)

    def _write(self, entry: Entry) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        pairs = zip(entry.rows, entry.answers, strict=True)
        lines = [{"at": at, "version": entry.version, "row": row, "answer": answer} for row, answer in pairs]
        text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
        if self._path is None or self._path.stat().st_size >= self._part_bytes:
            self._path = self._next_part()
        with self._path.open("ab") as stream:
            stream.write(text.encode())

    def _next_part(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in parts_in(self.folder)[: -(self._parts - 1) or None]:
            remove(old)
        self._count += 1
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        path = self.folder / f"{moment}-{os.getpid()}-{self._count:06d}.jsonl"
        path.touch(mode=0o600)
        return path


def read_journal(folder: Path) -> pd.DataFrame:
    """Return a row for each row that was answered: `at`, `version`, the columns, and the answer's as `answer.<name>`.

    A line that a killed process has left half-written is passed over.
    """
    found = []
    for part in parts_in(folder):
        for line in part.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            answer = {f"answer.{name}": value for name, value in entry["answer"].items()}
            found.append({"at": entry["at"], "version": entry["version"], **entry["row"], **answer})
    return pd.DataFrame(found)
