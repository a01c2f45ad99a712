"""Every way a stage or command can fail, as an exit code and a line; the traceback goes to a log."""

import contextlib
import errno
import os
import time
import traceback
from pathlib import Path

from goodfit.errors import GoodfitError, Interrupted
from goodfit.files import write_json, write_text
from goodfit.stage.console import say

LOGS = Path(".goodfit/logs")
LAST_FAILURE = Path(".goodfit/last_failure.json")
UNEXPECTED = 1
DEBUG = "GOODFIT_DEBUG"
_CODES = {
    errno.EACCES: 4,
    errno.EPERM: 4,
    errno.EROFS: 4,
    errno.EMFILE: 4,
    errno.ENFILE: 4,
    errno.ENOMEM: 4,
    errno.EAGAIN: 4,
    errno.ENOSPC: 5,
    errno.EDQUOT: 5,
    errno.EFBIG: 5,
    errno.EIO: 5,
}
_WAYS_OUT = {
    4: "Mend the permission or limit, then run dvc repro again.",
    5: "Free space or mend the store, then run dvc repro again.",
}


def report_failure(name: str, error: BaseException, root: Path) -> int:
    """Print what went wrong in the user's terms and return the contract's exit code: 1 to 6, 130, 143."""
    code = _explained(name, error, root)
    with contextlib.suppress(OSError):  # a full or read-only disk has been reported already
        write_json(root / LAST_FAILURE, {"stage": name, "exit_code": code})
    return code


def _explained(name: str, error: BaseException, root: Path) -> int:
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    if isinstance(error, Interrupted):
        say(f"{name}: interrupted by signal {error.signal_number}; run dvc repro to go on.", stderr=True)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        say(f"{name}: interrupted; run dvc repro to go on.", stderr=True)
        return 130
    if isinstance(error, GoodfitError):
        say(f"{name} failed:\n{error}", stderr=True)
        return error.exit_code
    return _foreign(name, error, root)


def _foreign(name: str, error: BaseException, root: Path) -> int:
    """Report a failure that is not ours: the machine's when it looks like it, a bug otherwise."""
    code = _CODES.get(error.errno or 0) if isinstance(error, OSError) else None
    if isinstance(error, MemoryError):
        code, summary = 4, "out of memory"
    elif isinstance(error, SystemExit):
        summary = f"a library ended the process (exit {error.code}); the stage is not finished"
    else:
        summary = f"{type(error).__name__}: {error}"
    log = _keep_traceback(name, error, root)
    if code is None:
        say(f"{name} failed unexpectedly: {summary}. Traceback: {log}", stderr=True)
        return UNEXPECTED
    say(f"{name} failed: {summary}. {_WAYS_OUT[code]}", stderr=True)
    return code


def _keep_traceback(name: str, error: BaseException, root: Path) -> str:
    path = root / LOGS / f"{name}-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.log"
    try:
        write_text(path, "".join(traceback.format_exception(error)))
        return str(path.relative_to(root))
    except OSError as problem:
        return f"not kept ({problem.strerror}); set {DEBUG}=1 to see it"
