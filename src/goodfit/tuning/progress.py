"""Show how a search goes: a bar in a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich import progress

from goodfit.stage import console, say
from goodfit.tuning.budget import seconds_left
from goodfit.tuning.ledger import Ledger
from goodfit.tuning.result import best_of
from goodfit.tuning.section import TuneSection
from goodfit.tuning.trial import Trial

PAUSE = 1.0
"""Seconds between two lines where there is no terminal."""

GONE = (OSError, ValueError, SystemExit)
"""What writing to a terminal raises after it has gone; SystemExit is what rich makes of a broken pipe."""


class Progress:
    """Shows the state of a search while it runs.

    Args:
        section: how much there is to do.
        ledger: how much is done.
        enabled: False shows nothing.
    """

    def __init__(self, section: TuneSection, ledger: Ledger, enabled: bool = True) -> None:
        self._section, self._ledger, self._enabled = section, ledger, enabled
        self._last_line = -PAUSE
        screen = console()
        columns = (progress.TextColumn("tune"), progress.BarColumn(), progress.TextColumn("{task.description}"))
        self._bar = progress.Progress(*columns, console=screen) if enabled and screen.is_terminal else None
        self._task = self._bar.add_task("", total=section.trials) if self._bar else progress.TaskID(0)

    def __enter__(self) -> Self:
        self._draw(lambda bar: bar.start())
        self._move()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._draw(lambda bar: bar.stop())

    def show(self, trial: Trial) -> None:
        """Show that one more trial has finished."""
        self._move()
        last = trial.rescores is None and self._ledger.counted >= self._section.trials
        due = time.monotonic() - self._last_line >= PAUSE or trial.state == "FAIL" or last
        if self._enabled and self._bar is None and due:
            self._last_line = time.monotonic()
            value = "" if trial.value is None else f" {trial.value:.6g}"
            name = f"trial {trial.number}" if trial.rescores is None else f"second look at trial {trial.rescores}"
            say(f"{name} {trial.state}{value}; {self.summary()}")

    def summary(self) -> str:
        """Return trials done, pruned and failed, the best so far and the time left, in one line."""
        counted, failed = self._ledger.counted, len(self._ledger.trials) - self._ledger.counted
        pruned = sum(trial.state == "PRUNED" for trial in self._ledger.trials)
        best = best_of(self._ledger.trials)
        parts = [f"{counted}/{self._section.trials} done"]
        parts += [f"{pruned} pruned"] if pruned else []
        parts += [f"{failed} failed"] if failed else []
        parts += [f"best {self._section.objective} {best.value:.6g} (trial {best.number})"] if best else []
        left = seconds_left(self._ledger.record, self._ledger.seconds)
        parts += [f"about {_readable(left)} left"] if left is not None else []
        return ", ".join(parts)

    def _move(self) -> None:
        self._draw(lambda bar: bar.update(self._task, completed=self._ledger.counted, description=self.summary()))

    def _draw(self, action: Callable[[progress.Progress], None]) -> None:
        """Act on the bar, if there is one; a terminal that has gone away does not concern the search."""
        if self._bar is None:
            return
        try:
            action(self._bar)
        except GONE:
            self._bar, self._enabled = None, False


def _readable(seconds: float) -> str:
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 1.5:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if hours < 1.5 else f"{hours:.1f} h"
