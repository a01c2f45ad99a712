"""One run of a tick, in a process of its own: take the tick, run the command, note how it ended.

    python -m goodfit.scheduling.run FOLDER COMMAND...

The process outlives a scheduler that is killed, and notes its end by itself. Nobody but it may take the tick, so of two
that were started for one tick, the second leaves without a word.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from goodfit.scheduling.ticks import Tick
from goodfit.stage import failpoint

TAKEN_ALREADY = 0


def run(tick: Tick, command: Sequence[str]) -> int:
    """Take the tick and run the command; return its exit code, in the shell's way for a signal."""
    if not tick.take():
        return TAKEN_ALREADY
    failpoint("schedule.taken")  # the tick is taken, the command has not begun
    with subprocess.Popen(command) as process:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda sent, _: process.send_signal(sent))
        code = process.wait()
    code = 128 - code if code < 0 else code
    tick.finish(code)
    return code


if __name__ == "__main__":
    folder, *rest = sys.argv[1:]
    sys.exit(run(Tick(datetime.now(UTC), Path(folder)), rest))
