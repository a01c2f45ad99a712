"""Refuse a machine that grants too little address space, before a library meets it in its own way."""

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
