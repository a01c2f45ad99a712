"""`goodfit schedule`: retrain by the clock, on a laptop or in a container."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from goodfit.errors import ConfigurationError, Fault
from goodfit.stage.lease import lease

LEASE = Path(".goodfit/schedule/lease")
LOG = Path(".goodfit/logs/schedule.log")


def schedule(
    cron: Annotated[str | None, typer.Argument(help="Cron expression: minute hour day month weekday.")] = None,
    interval: Annotated[str | None, typer.Option("--every", help="Instead: 30m, 6h, 1d.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of the hours, such as Europe/Berlin.")] = None,
    jitter: Annotated[str, typer.Option(help="Begin up to so much later, at random.")] = "0s",
    retrain: Annotated[list[str] | None, typer.Option("--retrain", help="Option for goodfit retrain.")] = None,
) -> None:
    """Run `goodfit retrain` whenever it is due, one at a time, until a signal ends it.

    Times that were missed while it slept, ran or was down are made up for by one run. A run that fails does not end it.
    """
    from goodfit.scheduling import Scheduler, every, timetable  # the other verbs need not wait for it
    from goodfit.scheduling.expressions import seconds_in
    from goodfit.scheduling.journal import Log
    from goodfit.scheduling.loop import ticks_of

    root = Path.cwd()
    if (cron is None) == (interval is None):
        rule = "needs either a cron expression or --every"
        raise ConfigurationError([Fault("schedule", rule, None, "For example: goodfit schedule '0 3 * * *'.")])
    times = timetable(cron, timezone) if cron is not None else every(str(interval))
    if not (root / "params.yaml").exists():
        raise ConfigurationError([Fault("params.yaml", "is not here", None, "Run goodfit in the project's folder.")])
    command = [sys.executable, "-m", "goodfit", "retrain", *(retrain or [])]
    late = seconds_in(jitter, "--jitter")
    with lease(root / LEASE, "schedule"):
        scheduler = Scheduler(times, command, ticks_of(root), Log(root / LOG), late)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: scheduler.stop())
        scheduler.serve()
        scheduler.log.write("ended")
