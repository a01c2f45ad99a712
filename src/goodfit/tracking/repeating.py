"""Requests that may be made twice are made again when the store did not take the first."""

import time
from collections.abc import Callable
from typing import TypeVar

from goodfit.tracking.store import Outage, answering

PAUSES = (0.05, 0.2, 0.5, 1.0)
"""Seconds between the attempts."""
T = TypeVar("T")


def steady(call: Callable[[], T], on: type[Outage] = Outage) -> T:
    """Make a request that may be made twice, and again when the store does not answer.

    Args:
        call: makes it.
        on: why it is made again; `Contention` leaves a store that is down alone.

    Raises:
        Outage: the store did not answer to the end.
    """
    for pause in PAUSES:
        try:
            with answering():
                return call()
        except on:
            time.sleep(pause)
    with answering():
        return call()
