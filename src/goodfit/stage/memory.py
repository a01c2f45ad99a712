"""Memory at a process's start: how much address space it must have, and how often Python looks for garbage."""

import gc
import resource

from goodfit.errors import Fault, MachineError

NEEDED = 4 << 30
"""Bytes with which a stage is known to end well. With 1 GiB OpenBLAS waits for ever for memory that never comes."""


def refuse_narrow_address_space() -> None:
    """Compare the process's limit with what the libraries need.

    Raises:
        MachineError: the limit is too low.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < NEEDED:
        rule = f"is limited to {limit / 2**30:.1f} GiB, and the libraries need at least {NEEDED >> 30} GiB"
        raise MachineError([Fault("address space", rule, None, "Raise it: ulimit -v unlimited")])


def collect_seldom() -> None:
    """Look for garbage after 5,000 new objects, not after 700, and for old garbage a quarter as often.

    Importing torch, pandas, Optuna and MLflow makes objects that stay. Looking through them again and again takes a
    sixth of the time (2.9 s of the processor, 2.4 s so).
    """
    gc.set_threshold(5000, 20, 20)
