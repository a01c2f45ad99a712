"""What can go wrong, and the exit code that says so.

GoodfitError
├── ConfigurationError   2  params.yaml, an expectation suite or an argument is wrong
├── DataError            3  the data are unreadable or inconsistent
├── MachineError         4  permissions, versions, memory, another run in the way
├── ServiceError         5  a store or an outside service fails
└── GateError            6  a gate said no: validation, leakage, evaluation, promotion
Interrupted (BaseException)  130, 143: a signal ended the work
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where, what stands there, the rule it breaks, and the way out."""

    place: str
    rule: str
    value: object = None
    remedy: str = ""

    def __str__(self) -> str:
        value = "" if self.value is None else f" (it is {shorten(self.value)})"
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{printable(self.place)}: {printable(self.rule)}{value}.{printable(remedy)}"


class GoodfitError(Exception):
    """The root of every failure that goodfit foresees; its message is meant for the user's screen."""

    exit_code = 1

    def __init__(self, problem: str | Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = () if isinstance(problem, str) else tuple(problem)
        super().__init__(problem if isinstance(problem, str) else _listed(self.faults))


class ConfigurationError(GoodfitError):
    """params.yaml, an expectation suite or a command-line argument is wrong."""

    exit_code = 2


class DataError(GoodfitError):
    """The data cannot be read, or contradict themselves or the schema."""

    exit_code = 3


class MachineError(GoodfitError):
    """This machine cannot do it: permissions, versions, memory, or another live run in the workspace."""

    exit_code = 4


class ServiceError(GoodfitError):
    """A store or an outside service fails: disk, database, tracking server, object store."""

    exit_code = 5


class GateError(GoodfitError):
    """A gate said no; everything that explains the refusal has been written before this is raised."""

    exit_code = 6


class Interrupted(BaseException):
    """SIGINT or SIGTERM arrived. Not an Exception, so that no `except Exception` mistakes it for a failed trial."""

    def __init__(self, signal_number: int) -> None:
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number
        super().__init__(f"interrupted by signal {signal_number}")


def suggestion(wrong: object, known: Iterable[str]) -> str:
    """Return "Did you mean 'x'? Known: a, b, c." for a name that is not among the known ones."""
    names = sorted(known)
    close = get_close_matches(str(wrong), names, n=1)
    hint = f"Did you mean '{close[0]}'? " if close else ""
    return f"{hint}Known: {', '.join(names)}."


def shorten(value: object, limit: int = 80) -> str:
    """Return a one-line picture of a value, cut to `limit` characters, without control characters."""
    text = printable(value if isinstance(value, str) else repr(value))
    text = f"'{text}'" if isinstance(value, str) else text
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def printable(text: str) -> str:
    """Escape control characters, so that data can neither forge log lines nor steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _listed(faults: tuple[Fault, ...]) -> str:
    return "\n".join(str(fault) for fault in faults)
