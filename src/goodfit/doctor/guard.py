"""Outlive a killed `dvc repro` by a moment, and mend what it was writing.

DVC writes .dvc/tmp/rwlock and dvc.lock in place. `kill -9` between truncation and write leaves a file that stops every
later `dvc repro` before any code of ours runs. So the first stage starts this module in a session of its own: it waits
for that DVC to end, however it ends, looks at the two files, and ends too.
"""

import fcntl
import json
import os
import sys
import time
from pathlib import Path

from goodfit.doctor.dvc_state import PATH_LOCKS, examine_lock_file
from goodfit.files import remove
from goodfit.stage.owner import started_at

POLL = 0.1
LOCK = Path(".goodfit/guard")


def guard(root: Path, pid: int) -> None:
    """Wait for a process to end, then mend; leave at once when another guard is on watch."""
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    started = started_at(pid)
    while started is not None and started_at(pid) == started:
        time.sleep(POLL)
    mend_torn(root)


def mend_torn(root: Path) -> None:
    """Remove half a lock on paths; put the last good dvc.lock back in place of half a one."""
    locks = root / PATH_LOCKS
    try:
        json.loads(locks.read_text())
    except FileNotFoundError:
        pass
    except ValueError:
        remove(locks)
    for finding in examine_lock_file(root):
        if not finding.ok and finding.mend:
            finding.mend()


if __name__ == "__main__":
    guard(Path.cwd(), int(sys.argv[1]))
