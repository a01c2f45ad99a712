"""Named places where a test may end the process: GOODFIT_FAILPOINT=name[:n]:SIGNAL, refused outside of tests."""

import os
import signal
import time
from collections import Counter

from goodfit.errors import ConfigurationError, Fault

VARIABLE = "GOODFIT_FAILPOINT"
_passed: Counter[str] = Counter()
_parents: list[int] = []


def stand_in(parent: int) -> None:
    """Let `parent` be sent the signal when this process, which it forked, passes the point."""
    _parents[:] = [parent]


def failpoint(name: str) -> None:
    """Send the process the signal that the test asked for, at the n-th passage of this point (n from 1)."""
    request = os.environ.get(VARIABLE)
    if not request:
        return
    wanted, passage, number = _parsed(request)
    if wanted != name:
        return
    _passed[name] += 1
    if _passed[name] == passage:
        os.kill(_parents[0] if _parents else os.getpid(), number)
        time.sleep(0.05)  # lets Python deliver a signal that has a handler before the work goes on


def _parsed(request: str) -> tuple[str, int, int]:
    if os.environ.get("GOODFIT_TEST") != "1":
        raise ConfigurationError([Fault(VARIABLE, "is for tests only", request, "Unset it.")])
    name, *middle, signal_name = request.split(":")
    try:
        return name, int(middle[0]) if middle else 1, signal.Signals[f"SIG{signal_name}"].value
    except (KeyError, ValueError):
        raise ConfigurationError([Fault(VARIABLE, "must read name[:n]:KILL, TERM or INT", request)]) from None
