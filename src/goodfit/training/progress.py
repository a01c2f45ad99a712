"""A progress bar on a terminal; elsewhere, one line now and then. A screen that has gone away ends nothing."""

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Protocol

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from goodfit.stage import console, say
from goodfit.training.recipe import Epoch

SECONDS_BETWEEN_LINES = 10.0


class Display(Protocol):
    """Shows how a fit goes on."""

    def show(self, epoch: Epoch) -> None:
        """Show one epoch."""

    def close(self) -> None:
        """Leave the screen tidy."""


class Silent:
    """Shows nothing."""

    def show(self, epoch: Epoch) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Lines:
    """Prints a line when the last one is long enough ago."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.last = time.monotonic()

    def show(self, epoch: Epoch) -> None:
        """Print the epoch if it is time."""
        now = time.monotonic()
        if now - self.last >= SECONDS_BETWEEN_LINES:
            self.last = now
            say(f"epoch {epoch.number}/{self.epochs}: {described(epoch)}")

    def close(self) -> None:
        """Do nothing."""


class Bar:
    """One line that is drawn again, by this thread alone."""

    def __init__(self, epochs: int) -> None:
        columns = (TextColumn("epoch {task.completed}/{task.total}"), BarColumn(), TextColumn("{task.description}"))
        self.bar = Progress(*columns, TimeRemainingColumn(), console=console(), transient=True, auto_refresh=False)
        self.task = self.bar.add_task("", total=epochs)
        self._draw(self.bar.start)

    def show(self, epoch: Epoch) -> None:
        """Draw the epoch."""
        self.bar.update(self.task, completed=epoch.number, description=described(epoch))
        self._draw(self.bar.refresh)

    def close(self) -> None:
        """Take the bar away."""
        self._draw(self.bar.stop)

    def _draw(self, action: Callable[[], None]) -> None:
        with contextlib.suppress(OSError, ValueError):
            action()


def display(epochs: int, wanted: bool) -> Display:
    """Return what fits the screen: a bar on a terminal, lines elsewhere, nothing where nothing is wanted."""
    if not wanted:
        return Silent()
    stream = sys.stdout
    on_terminal = stream is not None and not stream.closed and stream.isatty()
    return Bar(epochs) if on_terminal else Lines(epochs)


def described(epoch: Epoch) -> str:
    """Return the losses of an epoch as text."""
    return f"train {epoch.metrics['train/loss']:.4f}  valid {epoch.metrics['valid/loss']:.4f}"
