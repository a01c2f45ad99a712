"""The machine: versions, permissions, git."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from goodfit.doctor.finding import Finding

WRITTEN = (".", "data", "reports", "models", "artifacts", ".goodfit", ".dvc")
NEEDED_FREE = 1 << 30


def examine_versions(root: Path) -> Iterator[Finding]:
    """Compare the installed packages with the ranges that goodfit was built for."""
    wrong = [text for text in map(_mismatch, requires("goodfit") or ()) if text]
    seen = f"Python {sys.version.split()[0]}"
    yield Finding("versions", not wrong, f"{'; '.join(wrong)}. Run make install." if wrong else seen)


def _mismatch(text: str) -> str | None:
    requirement = Requirement(text)
    if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
        return None
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is not installed"
    fits = requirement.specifier.contains(installed, prereleases=True)
    return None if fits else f"{requirement.name} is {installed}, and goodfit needs {requirement.specifier}"


def examine_permissions(root: Path) -> Iterator[Finding]:
    """Look whether the folders that stages write into can be written, and whether there is room."""
    shut = [name for name in WRITTEN if (root / name).exists() and not os.access(root / name, os.W_OK)]
    yield Finding(
        "permissions",
        not shut,
        f"cannot write to {', '.join(shut)}: chmod u+w {' '.join(shut)}" if shut else "writable",
    )
    free = shutil.disk_usage(root).free
    room = f"{free / (1 << 30):.1f} GiB free"
    yield Finding("disk", free >= NEEDED_FREE, room if free >= NEEDED_FREE else f"{room}: free at least 1 GiB")


def examine_git(root: Path) -> Iterator[Finding]:
    """Look whether runs can be tied to a commit."""
    if shutil.which("git") is None:
        yield Finding("git", False, "git is not installed: runs cannot name the commit they come from. Install git.")
        return
    command = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    wrong = "no commit here: runs cannot name the one they come from. Run git init, git add and git commit."
    yield Finding("git", result.returncode == 0, wrong if result.returncode else f"commit {result.stdout.strip()}")
