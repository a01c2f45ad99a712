"""The schedule's log: lines on the screen and in a file of bounded size, which also takes what the runs print."""

from datetime import datetime
from pathlib import Path
from typing import IO

from goodfit.errors import printable
from goodfit.stage import say

MOST_BYTES = 4 << 20


class Log:
    """A log file and the one before it.

    Args:
        path: of the file.
        most: bytes after which a new one begins; the old one stays beside it, the one before that goes.
    """

    def __init__(self, path: Path, most: int = MOST_BYTES) -> None:
        self.path, self._most = path, most
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, text: str) -> None:
        """Write a line, with the time."""
        line = f"{datetime.now().astimezone().isoformat(timespec='seconds')} {printable(text)}"
        say(f"schedule: {text}", stderr=True)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")

    def stream(self) -> IO[bytes]:
        """Return the file, to be written by a run."""
        if self.path.exists() and self.path.stat().st_size > self._most:
            self.path.replace(self.path.with_suffix(f"{self.path.suffix}.1"))
        return self.path.open("ab")
