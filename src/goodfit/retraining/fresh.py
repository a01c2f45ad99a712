"""A process that has done nothing else, started before it is needed: its imports take seconds, and so do ours.

This module imports nothing slow, so that a command can start the process first of all.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType

LIMIT = 300.0
"""Seconds that it may take to answer some rows."""


class FreshProcess:
    """Answers one golden batch by one bundle; as a context manager, it is gone at the end, used or not."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "goodfit.retraining.answering"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self) -> "FreshProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def answer(self, bundle: Path, rows: Path, out: Path) -> str:
        """Let it write the answers of a bundle to `out`; return what went wrong, nothing where all went well.

        Args:
            bundle: the folder of the bundle.
            rows: Parquet of raw rows.
            out: where the answers go, as JSON.
        """
        request = json.dumps({"bundle": str(bundle), "rows": str(rows), "out": str(out)})
        try:
            _, said = self._process.communicate(f"{request}\n", timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return f"no answer within {LIMIT:.0f} s"
        if self._process.returncode == 0 and out.exists():
            return ""
        return (said.strip().splitlines() or [f"exit code {self._process.returncode}"])[-1]
