"""SIGTERM and SIGINT become `Interrupted` in the main thread; a second one ends the process at once."""

import os
import signal
from types import FrameType

from goodfit.errors import Interrupted

HANDLED = (signal.SIGINT, signal.SIGTERM)
_heard: list[int] = []


def install_handlers() -> None:
    """Take SIGINT and SIGTERM; libraries that install their own later must be told to put these back."""
    _heard.clear()
    for number in HANDLED:
        signal.signal(number, _hear)


def _hear(number: int, frame: FrameType | None) -> None:
    if _heard:
        os._exit(128 + number)
    _heard.append(number)
    raise Interrupted(number)
