"""Who holds something: a process that a reused process id cannot pass for."""

import json
import os
import socket
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Owner:
    """A process by host, boot, id and start time (seconds since the epoch, to the hundredth)."""

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
    """Return when a process started, or None when it is gone or a zombie."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else round(process.create_time(), 2)
    except psutil.Error:
        return None


@lru_cache
def _boot() -> str:
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else f"{psutil.boot_time():.0f}"
