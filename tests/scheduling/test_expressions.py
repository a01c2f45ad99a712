"""Cron expressions mean what cron says, intervals keep their rhythm, and what can never come is refused."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from goodfit.cli.main import app
from goodfit.errors import ConfigurationError
from goodfit.scheduling import Timetable, every, timetable

START = datetime(2026, 1, 30, 22, 47, 13, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def times(table: Timetable, count: int, start: datetime = START) -> list[datetime]:
    found = []
    for _ in range(count):
        start = table.after(start)
        found.append(start)
    return found


def expanded(field: str, low: int, high: int) -> set[int]:
    """What a numeric field of cron stands for, written down anew."""
    found = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        a, b = (low, high) if span == "*" else (int(first), int(last or first))
        found |= set(range(a, (high if step and span != "*" and not last else b) + 1, int(step or 1)))
    return found


def by_hand(text: str, count: int) -> list[datetime]:
    """Go minute by minute, as cron does."""
    fields = text.split()
    minute, hour, day, month = (
        expanded(f, *r) for f, r in zip(fields, ((0, 59), (0, 23), (1, 31), (1, 12)), strict=False)
    )
    weekday = {number % 7 for number in expanded(fields[4], 0, 7)} if fields[4] != "*" else set(range(7))
    moment, found = START.replace(second=0), []
    while len(found) < count:
        moment += MINUTE
        days = moment.day in day, moment.isoweekday() % 7 in weekday
        either = not (fields[2].startswith("*") or fields[4].startswith("*"))
        if moment.minute in minute and moment.hour in hour and moment.month in month and (any if either else all)(days):
            found.append(moment)
    return found


def drawn(random_: random.Random) -> str:
    def field(low: int, high: int, often: float) -> str:
        if random_.random() < often:
            return random_.choice(["*", f"*/{random_.randint(2, 5)}"])
        a, b = sorted((random_.randint(low, high), random_.randint(low, high)))
        return random_.choice([f"{a}", f"{a}-{b}", f"{a},{b}", f"{a}-{b}/2"])

    limits = ((0, 59, 0.3), (0, 23, 0.5), (1, 28, 0.5), (1, 12, 0.8), (0, 7, 0.5))
    return " ".join(field(*limit) for limit in limits)


def test_drawn_expressions_are_read_as_cron_reads_them() -> None:
    random_ = random.Random(3)
    tried = 0
    while tried < 40:
        text = drawn(random_)
        if len(expanded(text.split()[3], 1, 12)) < 6:
            continue  # by hand it takes too long
        assert times(timetable(text, "UTC"), 4) == by_hand(text, 4), text
        tried += 1


@pytest.mark.parametrize("sunday", ["0", "7", "sun", "SUN"])
def test_0_and_7_are_sunday(sunday: str) -> None:
    """APScheduler's own reading of crontab takes 0 for Monday."""
    assert {time.strftime("%a") for time in times(timetable(f"0 3 * * {sunday}", "UTC"), 4)} == {"Sun"}


def test_either_day_suffices_where_both_are_restricted() -> None:
    found = times(timetable("0 0 13 * fri", "UTC"), 20)
    assert {time.day for time in found if time.strftime("%a") != "Fri"} == {13}
    assert len([time for time in found if time.strftime("%a") == "Fri"]) > 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("* * * * * *", "must have 5 fields"),
        ("* * * *", "must have 5 fields"),
        ("", "must have 5 fields"),
        ("61 * * * *", "minute: must lie between 0 and 59"),
        ("* 24 * * *", "hour: must lie between 0 and 23"),
        ("0 0 0 * *", "day of month: must lie between 1 and 31"),
        ("0 0 * 13 *", "month: must lie between 1 and 12"),
        ("0 0 * * 8", "day of week: must lie between 0 and 7"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("5-1 * * * *", "the smaller number first"),
        ("*/0 * * * *", "must have a step of 1 to 59"),
        ("a * * * *", "must lie between"),
        ("1;2 * * * *", "cannot be read"),
        ("1,,2 * * * *", "cannot be read"),
        ("-1 * * * *", "cannot be read"),
        ("1.5 * * * *", "cannot be read"),
        ("٣ * * * *", "must lie between"),
        ("$(reboot) * * * *", "cannot be read"),
        ("0 0 * * mon#1", "cannot be read"),
        ("0 0 L * *", "must lie between"),
        ("@reboot", "must have 5 fields"),
        ("9" * 5000 + " * * * *", "must lie between"),
    ],
)
def test_bad_expressions_are_refused_with_exit_code_2(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        app(["schedule", "--", text], standalone_mode=False)
    assert said in str(caught.value) and caught.value.exit_code == 2
    assert len(str(caught.value)) < 500


def test_every_wrong_field_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        timetable("61 24 * 0 *")
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("text", ["0 0 29 2 *", "0 0 29 2 mon", "0 0 30 2 mon"])
def test_rare_days_are_allowed(text: str) -> None:
    assert timetable(text, "UTC").after(START) > START


WRONG = [
    [],
    ["0 3 * * *", "--every", "6h"],
    ["--every", "0s"],
    ["--every", "6 hours"],
    ["--every", "900d"],
    ["--every", "1h", "--jitter", "x"],
    ["0 3 * * *", "--timezone", "Mars/Olympus"],
    ["0 3 * * *", "--timezone", "../etc"],
]


@pytest.mark.parametrize("arguments", WRONG)
def test_bad_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        app(["schedule", *arguments], standalone_mode=False)


def test_an_interval_keeps_its_rhythm_across_a_restart() -> None:
    assert times(every("6h"), 3) == times(every("6h"), 3, START - timedelta(minutes=40))
    assert [time.hour for time in times(every("6h"), 4)] == [0, 6, 12, 18]
    assert every("90s").latest(START, START + timedelta(days=30)) > START + timedelta(days=30) - timedelta(seconds=90)


@pytest.mark.parametrize(
    ("day", "text"), [("2026-03-29", "30 2 * * *"), ("2026-10-25", "30 2 * * *"), ("2026-03-29", "0 0 * * *")]
)
def test_when_clocks_change_a_day_has_one_run_at_most(day: str, text: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=berlin) - timedelta(days=3, minutes=1)
    found = [time.astimezone(berlin) for time in times(timetable(text, "Europe/Berlin"), 6, start)]
    assert len({time.date() for time in found}) == len(found)
    assert found[-1] - start < timedelta(days=8)


def test_latest_is_the_last_of_many_missed_times() -> None:
    table = timetable("*/10 * * * *", "UTC")
    first = table.after(START)
    assert table.latest(first, first + timedelta(hours=5, minutes=3)) == first + timedelta(hours=5)
    assert table.latest(first, first) == first
