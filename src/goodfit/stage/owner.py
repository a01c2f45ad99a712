"""Who holds something: a process that a reused process id cannot pass for."""

import json
import os
import socket
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import psutil

PROCESSES = Path("/proc")
"""Where Linux tells of its processes in files."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Owner:
    """A process by host, boot, id and start time (see `started_at`)."""

    host: str
    boot: str
    pid: int
    started: float

    @classmethod
    def me(cls) -> "Owner":
        """Return this process."""
        return cls(socket.gethostname(), _boot(), os.getpid(), started_at(os.getpid()) or 0.0)

    @classmethod
    def parse(cls, text: str) -> "Owner | None":
        """Read what `str` wrote; None when it is damaged."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None

    def __str__(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    def alive(self) -> bool:
        """Tell whether the process still runs; of another host nothing is known, so it counts as alive."""
        if self.host != socket.gethostname():
            return True
        return self.boot == _boot() and started_at(self.pid) == self.started


def started_at(pid: int) -> float | None:
    """Return when a process started, or None when it is gone or a zombie.

    On Linux in clock ticks since the machine began: in seconds since the epoch, which psutil computes from the wall
    clock, a live process starts at another time as soon as somebody sets that clock, and would pass for dead.
    """
    if (PROCESSES / "self/stat").exists():
        return _ticks(pid)
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else round(process.create_time(), 2)
    except psutil.Error:
        return None


def _ticks(pid: int) -> float | None:
    try:
        text = (PROCESSES / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *numbers = text.rpartition(")")[2].split()  # a name may hold spaces and brackets: count from behind it
    return None if state in ("Z", "X") else float(numbers[18])


@lru_cache
def _boot() -> str:
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else f"{psutil.boot_time():.0f}"
