"""What every channel keeps to."""

import os
from abc import ABC, abstractmethod
from typing import Annotated

from pydantic import Field

from goodfit.alerts.alert import Alert
from goodfit.registry import Registry

TIMEOUT = 10.0
"""Seconds that a server may take to answer."""
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
"""The name of an environment variable: a secret itself never stands in params.yaml."""


class Undelivered(Exception):
    """The channel could not deliver; `lasting` says that trying again would change nothing."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class Channel(ABC):
    """A way to people."""

    @abstractmethod
    def send(self, alert: Alert) -> None:
        """Deliver an alert whose texts are redacted already.

        Raises:
            Undelivered: it did not arrive.
        """


def secret(variable: str) -> str:
    """Return the value of an environment variable.

    Raises:
        Undelivered: it is not set.
    """
    value = os.environ.get(variable, "").strip()
    if not value:
        raise Undelivered(f"the environment variable {variable} is not set", lasting=True)
    return value


CHANNELS: Registry[Channel] = Registry("channel")
