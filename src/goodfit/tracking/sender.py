"""Send the outbox from a thread of its own: the file is the queue, so a dead tracker costs neither memory nor time."""

import time
from collections.abc import Callable
from threading import Event as Signal
from threading import Thread

from goodfit.errors import ServiceError
from goodfit.tracking.courier import Courier
from goodfit.tracking.outbox import Outbox
from goodfit.tracking.store import Contention, Outage, reason

PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds to wait after each failure in a row."""
BEGIN = 0.5
"""Seconds before the first request: importing MLflow takes two, and a stage gets to its work before that."""
GATHER = 0.2
"""Seconds for which news is collected into one request."""
HOLD = 20.0
"""Seconds for which others may hold the database before it counts as down."""


class Sender(Thread):
    """Keeps one outbox delivered while a stage works.

    Args:
        courier: delivers.
        outbox: the stage's own.
        warn: says one line to the user.
    """

    def __init__(self, courier: Courier, outbox: Outbox, warn: Callable[[str], None]) -> None:
        super().__init__(name="goodfit-tracking", daemon=True)
        self._courier = courier
        self._outbox = outbox
        self._warn = warn
        self._wake = Signal()
        self._ended = Signal()
        self._idle = Signal()
        self._hurry = Signal()
        self._caught_up = False
        self.down = False
        self.fault: ServiceError | None = None

    def wake(self) -> None:
        """Something was written."""
        self._idle.clear()
        self._wake.set()

    def drain(self, patience: float) -> bool:
        """Wait until everything was sent; False when it was not, or at once when the tracker is down."""
        deadline = time.monotonic() + patience
        self._hurry.set()
        self.wake()
        while time.monotonic() < deadline and self.is_alive() and self.fault is None:
            if self._idle.wait(0.02):
                return True
            if self.down:
                return False
        return False

    def stop(self) -> None:
        """Send no more."""
        self._ended.set()
        self._hurry.set()
        self._wake.set()

    def run(self) -> None:
        """Send until told to stop; nothing that a store does can end the stage's work."""
        failures, since = 0, 0.0
        self._hurry.wait(BEGIN)
        while not self._ended.is_set():
            since = since if failures else time.monotonic()
            try:
                self._round()
                failures, self.down = 0, False
            except ServiceError as error:
                self.fault = error
                return
            except Exception as error:
                failures += 1
                if not isinstance(error, Contention) or time.monotonic() - since > HOLD:
                    self._announce(str(error) if isinstance(error, Outage) else reason(error))
            self._pause(failures)

    def _round(self) -> None:
        self._wake.clear()
        if not self._caught_up:
            self._courier.client()
            self._courier.deliver_all(but=self._outbox)
            self._courier.close_orphans()
            self._caught_up = True
        self._courier.deliver(self._outbox)
        if self._courier.waits(self._outbox):  # another process is at it, and may not see our last word
            self._wake.set()
        if not self._wake.is_set():
            self._idle.set()

    def _pause(self, failures: int) -> None:
        """Wait for news; for a tracker that is down, news does not shorten the wait, being told to stop does."""
        if failures:
            self._ended.wait(PAUSES[min(failures, len(PAUSES)) - 1])
            return
        self._wake.wait()
        self._hurry.wait(GATHER)
        self._hurry.clear()

    def _announce(self, reason: str) -> None:
        if not self.down:
            self._warn(
                f"tracking: not reachable ({reason}). The work goes on; what is to be recorded is kept in "
                f".goodfit/outbox and sent by the next dvc repro."
            )
        self.down = True
