"""`goodfit repro`: mend what a crash has left, check the configuration, then `dvc repro`."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from goodfit.cli.preflight import check_once
from goodfit.doctor import QUICK, examine, mend
from goodfit.doctor.environment import examine_versions
from goodfit.errors import Fault, Interrupted, MachineError
from goodfit.files import read_json, remove
from goodfit.stage import say
from goodfit.stage.failure import LAST_FAILURE


def repro(
    arguments: Annotated[list[str] | None, typer.Argument(help="Handed to dvc repro, such as a stage's name.")] = None,
) -> int:
    """Run the pipeline. Exits with the failing stage's own code, which `dvc repro` by itself does not."""
    return run_pipeline(Path.cwd(), arguments or [])


def run_pipeline(root: Path, arguments: Sequence[str], *, quiet: bool = False) -> int:
    """Mend, check, and run `dvc repro`; return the failing stage's own exit code.

    Args:
        root: the workspace.
        arguments: for dvc repro.
        quiet: send what DVC and the stages print to standard error, for a command whose output is read by a program.
    """
    _refuse_wrong_versions(root)
    findings = examine(root, QUICK)
    for finding in findings:
        if not finding.ok:
            say(f"mended {finding.name}: {finding.detail}", stderr=quiet)
    mend(findings)
    check_once(root)
    remove(root / LAST_FAILURE)
    code = _run([sys.executable, "-m", "dvc", "repro", *arguments], quiet)
    return _own_code(root, code)


def _refuse_wrong_versions(root: Path) -> None:
    wrong = [
        Fault("the installed packages", finding.detail.removesuffix("."))
        for finding in examine_versions(root)
        if not finding.ok
    ]
    if wrong:
        raise MachineError(wrong)


def _run(command: list[str], quiet: bool) -> int:
    """Run DVC with the stages' Python first on the path; pass signals on and wait for it to end by itself."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    heard: list[int] = []
    process = subprocess.Popen(command, env=environment, stdout=sys.stderr if quiet else None)

    def forward(number: int, frame: object) -> None:
        heard.append(number)
        if number == signal.SIGTERM:  # a terminal sends SIGINT to the whole group already
            process.terminate()

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = process.wait()
    finally:  # a command that goes on after DVC must still hear its signals
        for number, handler in before.items():
            signal.signal(number, handler)
    if heard:
        raise Interrupted(heard[0])
    return code


def _own_code(root: Path, code: int) -> int:
    if code == 0:
        return 0
    try:
        return int(read_json(root / LAST_FAILURE)["exit_code"])
    except (OSError, ValueError, KeyError, TypeError):
        return code if 0 < code < 7 else 1
