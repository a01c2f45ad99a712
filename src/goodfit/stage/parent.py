"""Die with the parent: a stage whose `dvc repro` is gone must not go on writing into outputs that a new one owns."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import psutil

from goodfit.stage.owner import started_at

POLL = 0.25
GRACE = 2.5
GUARD = "goodfit.doctor.guard"
"""Run by name: a stage imports nothing of the doctor, and no output depends on it."""
SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish"})


def watch_parent() -> None:
    """Under DVC, end this process soon after DVC, or the shell between, has died; elsewhere do nothing."""
    if "DVC_STAGE" not in os.environ:
        return
    line = _line_to_dvc()
    watched = [(process.pid, started_at(process.pid)) for process in line]
    _start_guard(line[-1].pid)
    threading.Thread(target=_watch, args=(watched,), name="parent-watch", daemon=True).start()


def _start_guard(pid: int) -> None:
    """Start the process that mends what DVC leaves half-written when it is killed; it needs no answer from us."""
    quiet = subprocess.DEVNULL
    command = [sys.executable, "-m", GUARD, str(pid)]
    with contextlib.suppress(OSError):
        subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)


def _line_to_dvc() -> list[psutil.Process]:
    line = []
    for process in psutil.Process().parents():
        line.append(process)
        if process.name() not in SHELLS:
            break
    return line


def _watch(watched: list[tuple[int, float | None]]) -> None:
    while all(started_at(pid) == start for pid, start in watched):
        time.sleep(POLL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(128 + signal.SIGTERM)  # a long call into a library has kept the main thread from hearing it
