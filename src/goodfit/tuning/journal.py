"""An append-only file of events that survives the death of its process at any byte.

Each line is a checksum, a space and one event as JSON. `append` hands it to the kernel, so that no death of the process
can lose it, and waits for the disk as often as it is told to; a power cut may take what came since, never less than a
whole line. A torn tail is what a crash leaves, so it is cut off. Damage before the tail is refused, since what follows
it was acknowledged and must not be lost silently.
"""

import json
import os
import time
import zlib
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from goodfit.errors import Fault, MachineError, ServiceError
from goodfit.files import flush

SYNC_EVERY = 1.0
"""Seconds between two waits for the disk, while only events come that can be made again."""


class Journal:
    """Events in the order they happened.

    Args:
        path: the file; made with its folder when it is not there.

    Raises:
        ServiceError: it cannot be read or written, or is damaged before its tail.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[dict[str, Any]] = []
        self._synced = 0.0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            flush(path.parent)
        except OSError as error:
            raise self._failed("cannot be opened", error) from error
        try:
            self._size = self._recover()
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def append(self, event: dict[str, Any], durable: bool = True) -> None:
        """Write one event, and wait until it and all before it are on disk.

        Args:
            event: JSON-able.
            durable: False does not wait, unless the last wait is a second ago: what the event says can be made again.

        Raises:
            ServiceError: the disk is full or fails; nothing of the event stays in the file.
            MachineError: another process wrote to the file.
        """
        line = _encoded(event)
        try:
            self._refuse_company()
            written = os.write(self._descriptor, line)
            if written < len(line):
                raise OSError(f"only {written} of {len(line)} bytes were written")
            if durable or time.monotonic() - self._synced > SYNC_EVERY:
                os.fsync(self._descriptor)
                self._synced = time.monotonic()
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise self._failed("cannot be written", error) from error
        self._size += len(line)
        self.events.append(event)

    def _recover(self) -> int:
        """Read the events, cut a torn tail off, and return the number of bytes that hold."""
        content = self.path.read_bytes()
        self.events, size = _decoded(content)
        rest = content[size:].split(b"\n")[1:]
        if any(_event(line) is not None for line in rest):
            raise self._failed(f"is damaged at byte {size:,}, with whole entries behind it")
        if size < len(content):
            os.ftruncate(self._descriptor, size)
            os.fsync(self._descriptor)
        return size

    def _refuse_company(self) -> None:
        if os.fstat(self._descriptor).st_size != self._size:
            rule = "another process writes to this search's journal"
            raise MachineError([Fault(str(self.path), rule, None, "End the other run, then run again.")])

    def _failed(self, rule: str, error: OSError | None = None) -> ServiceError:
        reason = f": {error.strerror or error}" if error else ""
        remedy = "Mend the disk, or delete the file to start the search anew."
        return ServiceError([Fault(str(self.path), f"{rule}{reason}", None, remedy)])


def read_events(path: Path) -> list[dict[str, Any]]:
    """Return the whole events at the beginning of a journal that another process may be writing; changes nothing."""
    return _decoded(path.read_bytes())[0]


def _encoded(event: dict[str, Any]) -> bytes:
    text = json.dumps(event, sort_keys=True, allow_nan=False).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _decoded(content: bytes) -> tuple[list[dict[str, Any]], int]:
    """Return the whole events at the beginning, and the number of bytes they take."""
    events: list[dict[str, Any]] = []
    size = 0
    while (end := content.find(b"\n", size)) >= 0:
        event = _event(content[size:end])
        if event is None:
            break
        events.append(event)
        size = end + 1
    return events, size


def _event(line: bytes) -> dict[str, Any] | None:
    """Return the event of a line without its line end, or None for a line that is not whole."""
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text) or not text:
        return None
    event = json.loads(text)
    return event if isinstance(event, dict) else None
