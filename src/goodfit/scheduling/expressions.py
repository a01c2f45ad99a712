"""When to run: a cron expression as cron itself reads it, or an interval.

The times are computed by APScheduler's triggers, which know time zones and their changes. What cron says otherwise than
they do is put right here: 0 and 7 are Sunday (APScheduler's 0 is Monday), and where both day fields are restricted,
either suffices (APScheduler asks for both).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger
from tzlocal import get_localzone

from goodfit.errors import ConfigurationError, Fault

NAMES = ("minute", "hour", "day of month", "month", "day of week")
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
WORDS = {
    3: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    4: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
ITEM = re.compile(r"(?P<low>\*|\w+)(?:-(?P<high>\w+))?(?:/(?P<step>\d+))?")
SHORT = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}
INTERVAL = re.compile(r"(?P<count>\d+)(?P<unit>[smhd])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SHORTEST = 1
HORIZON = timedelta(days=366 * 9)
"""How far ahead a first time is looked for: the 29th of February may be eight years away."""


@dataclass(frozen=True)
class Timetable:
    """The times at which something is due.

    Args:
        text: as it was asked for.
        triggers: of cron; any of them makes a time.
        interval: seconds between two times, counted from 1970, so that a restart keeps the rhythm; 0 with triggers.
        by_hour: whether it names hours: then the hour that comes twice when clocks go back counts once, as in cron.
    """

    text: str
    triggers: tuple[CronTrigger, ...] = ()
    interval: int = 0
    by_hour: bool = False

    def after(self, moment: datetime) -> datetime:
        """Return the first time after a moment, in UTC."""
        if self.interval:
            passed = int(moment.timestamp()) // self.interval
            return datetime.fromtimestamp((passed + 1) * self.interval, UTC)
        while True:
            later = moment + timedelta(microseconds=1)
            found = [trigger.get_next_fire_time(None, later) for trigger in self.triggers]
            first = min((time for time in found if time is not None), key=lambda time: time.astimezone(UTC))
            moment = first.astimezone(UTC)
            if not (self.by_hour and first.fold):
                return moment

    def latest(self, since: datetime, moment: datetime) -> datetime:
        """Return the last time up to a moment, in UTC; `since` is a time of the table before it."""
        if self.interval:
            return max(since, datetime.fromtimestamp(int(moment.timestamp()) // self.interval * self.interval, UTC))
        while (later := self.after(since)) <= moment:
            since = later
        return since


def timetable(text: str, zone: str | None = None) -> Timetable:
    """Read a cron expression: five fields, or @hourly, @daily, @weekly, @monthly.

    Args:
        text: minute, hour, day of month, month, day of week.
        zone: IANA name of the time zone that the hours are of; None for this machine's.

    Raises:
        ConfigurationError: with every field that is wrong; or the times never come.
    """
    fields = SHORT.get(text.strip(), text).lower().split()
    if len(fields) != len(NAMES):
        rule = f"must have {len(NAMES)} fields ({', '.join(NAMES)}), and has {len(fields)}"
        raise ConfigurationError([Fault("cron expression", rule, text, "Every day at 3: '0 3 * * *'.")])
    faults, values = [], []
    for position, field in enumerate(fields):
        try:
            values.append(sorted(set(_values(position, field))))
        except ValueError as error:
            place = f"cron expression: {NAMES[position]}"
            faults.append(Fault(place, str(error), field, "Examples: 5, 1-5, */15, 1,15, mon-fri."))
    if faults:
        raise ConfigurationError(faults)
    triggers = tuple(_triggers(fields, values, _zone(zone)))
    table = Timetable(text, triggers, by_hour=not fields[1].startswith("*"))
    start = datetime.now(UTC)
    coming = [trigger.get_next_fire_time(None, start) for trigger in table.triggers if _possible(values, fields)]
    if not any(time is not None and time - start < HORIZON for time in coming):
        rule = "never comes: no such day is in such a month"
        raise ConfigurationError([Fault("cron expression", rule, text, "Choose a day that the month has.")])
    return table


def every(text: str) -> Timetable:
    """Read an interval: a whole number and s, m, h or d.

    Raises:
        ConfigurationError: it is none.
    """
    seconds = seconds_in(text, "--every")
    if seconds < SHORTEST:
        raise ConfigurationError([Fault("--every", f"must be at least {SHORTEST} s", text, "Every 6 hours: 6h.")])
    return Timetable(f"every {text}", interval=seconds)


def seconds_in(text: str, place: str) -> int:
    """Return the seconds of 90s, 15m, 6h or 1d.

    Raises:
        ConfigurationError: it is none of them, or longer than a year.
    """
    match = INTERVAL.fullmatch(text.strip())
    seconds = int(match["count"]) * UNITS[match["unit"]] if match and len(match["count"]) < 10 else None
    if seconds is None or seconds > 366 * 86_400:
        rule = "is no length of time of at most a year"
        raise ConfigurationError([Fault(place, rule, text, "Write a whole number and s, m, h or d: 90s, 15m, 6h, 1d.")])
    return seconds


def _values(position: int, field: str) -> Iterator[int]:
    """Yield the numbers that a field stands for; raise ValueError with the rule that it breaks."""
    low, high = LIMITS[position]
    for item in field.split(","):
        match = ITEM.fullmatch(item)
        if match is None or (match["low"] == "*" and match["high"]):
            raise ValueError("cannot be read")
        step = int(match["step"] or 1)
        if not 0 < step <= high:
            raise ValueError(f"must have a step of 1 to {high}")
        first = low if match["low"] == "*" else _number(position, match["low"])
        last = high if match["low"] == "*" else _number(position, match["high"] or match["low"])
        if match["step"] and match["low"] != "*" and not match["high"]:
            last = high
        if not low <= first <= last <= high:
            raise ValueError(f"must lie between {low} and {high}, the smaller number first")
        yield from range(first, last + 1, step)


def _number(position: int, text: str) -> int:
    words = WORDS.get(position, [])
    if text in words:
        return words.index(text) + LIMITS[position][0]
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise ValueError(f"must lie between {LIMITS[position][0]} and {LIMITS[position][1]}")
    return int(text)


def _triggers(fields: list[str], values: list[list[int]], zone: tzinfo) -> Iterator[CronTrigger]:
    minute, hour, day, month = (",".join(map(str, numbers)) for numbers in values[:4])
    weekday = ",".join(sorted({WORDS[4][number % 7] for number in values[4]}))
    free_day, free_weekday = fields[2].startswith("*"), fields[4].startswith("*")
    either = not (free_day or free_weekday)
    common = {"minute": minute, "hour": hour, "month": month, "timezone": zone, "second": 0}
    if either:
        yield CronTrigger(day=day, **common)
        yield CronTrigger(day_of_week=weekday, **common)
    else:
        yield CronTrigger(day=day, day_of_week=weekday, **common)


def _possible(values: list[list[int]], fields: list[str]) -> bool:
    """Tell whether a day exists in one of the months: the trigger would look for it until the year 9999."""
    either = not (fields[2].startswith("*") or fields[4].startswith("*"))
    longest = max(29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in values[3])
    return either or min(values[2]) <= longest


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return get_localzone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        remedy = "Write a name such as UTC or Europe/Berlin."
        raise ConfigurationError([Fault("--timezone", "is no time zone that is known here", name, remedy)]) from error
