"""Run a command by the clock: once per tick, also across a crash, and never two at a time."""

from goodfit.scheduling.expressions import Timetable, every, timetable
from goodfit.scheduling.loop import Scheduler

__all__ = ["Scheduler", "Timetable", "every", "timetable"]
