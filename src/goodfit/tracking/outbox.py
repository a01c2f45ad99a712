"""The outbox: every tracking operation is on disk before it is sent, so that no outage and no crash loses one."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from goodfit.files import digest_of_path, read_json, remove, write_json
from goodfit.tracking.events import OPEN, STATUS, Event, parse

FOLDER = Path(".goodfit/outbox")
PAGE = 1 << 18
"""Bytes of events that are in memory at once."""
SYNC_EVERY = 1.0
"""Seconds between two fsyncs of the events; opening and closing a run are always synced."""


class Outbox:
    """The operations of one attempt and of its trials, and how far they have been sent.

    Args:
        folder: `.goodfit/outbox/<attempt>`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._events = folder / "events.jsonl"
        self._state = folder / "sent.json"
        self._lock = Lock()
        self._synced = 0.0
        self._last = 0

    def append(self, run: str, op: str, body: dict[str, Any], at: int | None = None) -> Event:
        """Write one event behind the others; times never run backwards within an attempt."""
        with self._lock:
            self._last = max(at or _now(), self._last if at is None else 0)
            event = Event(run, op, self._last, body)
            self._write(event.to_line(), durable=op in (OPEN, STATUS))
            return event

    def keep(self, path: Path) -> str:
        """Copy a file or folder into the outbox, because the next stage may delete it; return its name there."""
        name = f"{digest_of_path(path)}/{path.name}"
        target = self.kept(name)
        if target.exists():
            return name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{path.name}.{os.getpid()}.tmp")
        remove(temporary)
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, temporary)
        temporary.replace(target)
        return name

    def kept(self, name: str) -> Path:
        """Return where a kept file or folder lies."""
        return self.folder / "files" / name

    def waiting(self, store: str | None = None) -> int:
        """Return the bytes of events that were not sent yet (to this store, if one is named)."""
        return max(0, self._size() - int(self.state(store)["offset"]))

    def count_waiting(self) -> int:
        """Return the number of events that were not sent yet."""
        offset = self.state()["offset"]
        return sum(len(events) for events, _ in self.pages(offset))

    def pages(self, offset: int) -> Iterator[tuple[list[Event], int]]:
        """Yield whole events from a byte offset on, a page at a time, with the offset behind each page."""
        if not self._events.exists():
            return
        with self._events.open("rb") as stream:
            stream.seek(offset)
            while lines := stream.readlines(PAGE):
                if not lines[-1].endswith(b"\n"):
                    lines.pop()
                offset += sum(map(len, lines))
                if not lines:
                    return
                yield parse(line.decode("utf-8", "replace") for line in lines), offset

    def state(self, store: str | None = None) -> dict[str, Any]:
        """Return how far the events were sent (bytes) and the run ids by attempt; from the start if it is damaged.

        Args:
            store: to which they would be sent; what was sent to another one does not count.
        """
        try:
            state = read_json(self._state)
            if store not in (None, state["store"]):
                return {"offset": 0, "runs": {}}
            return {"offset": min(int(state["offset"]), self._size()), "runs": dict(state["runs"])}
        except (OSError, ValueError, KeyError, TypeError):
            return {"offset": 0, "runs": {}}

    def save(self, offset: int, runs: dict[str, str], store: str) -> None:
        """Remember how far the events were sent, and to which store."""
        write_json(self._state, {"offset": offset, "runs": runs, "store": store})

    def first(self) -> Event | None:
        """Return the event that began the outbox, None while there is none."""
        for events, _ in self.pages(0):
            if events:
                return events[0]
        return None

    def age(self) -> float:
        """Return the seconds since anything was written."""
        return time.time() - self._events.stat().st_mtime if self._events.exists() else 0.0

    def forget_after(self, seconds: float) -> None:
        """Remove the outbox when all of it was sent and nothing was written for so long."""
        if self.waiting() == 0 and self.age() > seconds:
            remove(self.folder)

    def tidy(self) -> None:
        """Drop the kept files once everything was sent."""
        if self.waiting() == 0:
            remove(self.folder / "files")

    @contextmanager
    def sending(self) -> Iterator[bool]:
        """Yield whether this process may send; two senders of one outbox would only tread on each other."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / "sender.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            yield _try_lock(descriptor)
        finally:
            os.close(descriptor)

    def _write(self, line: str, durable: bool) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._events.open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            if stream.tell() and not self._ends_whole():
                stream.write(b"\n")
            stream.write(line.encode())
            stream.flush()
            if durable or time.monotonic() - self._synced > SYNC_EVERY:
                os.fsync(stream.fileno())
                self._synced = time.monotonic()

    def _ends_whole(self) -> bool:
        with self._events.open("rb") as stream:
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) == b"\n"

    def _size(self) -> int:
        return self._events.stat().st_size if self._events.exists() else 0


def outboxes(root: Path) -> list[Outbox]:
    """Return every outbox of a workspace, the oldest first."""
    folder = root / FOLDER
    found = [Outbox(path) for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    return sorted(found, key=_age)


def _age(outbox: Outbox) -> tuple[int, str]:
    first = outbox.first()
    return first.at if first else 0, outbox.folder.name


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _now() -> int:
    return time.time_ns() // 1_000_000
