"""Lines and tables on the screen; a reader that goes away never ends the work."""

import contextlib
import os
import sys

from rich.console import Console

from goodfit.errors import printable


class ForgivingConsole(Console):
    """A rich console that goes silent when its reader is gone, where rich would end the process."""

    def on_broken_pipe(self) -> None:
        """Mute the stream instead of raising SystemExit."""
        _mute(self.file.fileno())


def console(*, stderr: bool = False) -> Console:
    """Return a console without markup, so that data can neither colour nor hide text."""
    return ForgivingConsole(stderr=stderr, markup=False, highlight=False, emoji=False)


def say(text: str, *, stderr: bool = False) -> None:
    """Print lines; control characters are escaped."""
    stream = sys.stderr if stderr else sys.stdout
    if stream is None or stream.closed:
        return
    try:
        stream.write("\n".join(printable(line) for line in text.split("\n")) + "\n")
        stream.flush()
    except UnicodeEncodeError:
        stream.write(text.encode("ascii", "backslashreplace").decode() + "\n")
    except (OSError, ValueError):
        _mute(stream.fileno())


def _mute(descriptor: int) -> None:
    """Point a broken stream at the null device: the interpreter would otherwise fail at exit when it flushes."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
