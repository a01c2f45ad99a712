"""Workers that run tests side by side give up when they collect different names."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKED = """
import gzip
import pytest

@pytest.mark.parametrize("content", [gzip.compress(b"a")])
def test_packed(content):
    assert content
"""


def collect(root: Path, hash_seed: str, *options: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *options]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    said = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=False).stdout
    return [line for line in said.splitlines() if "::" in line]


def names(root: Path, *options: str) -> tuple[list[str], list[str]]:
    """Collect twice, in different seconds and with different hash seeds."""
    first = collect(root, "1", *options)
    time.sleep(1.1)
    return first, collect(root, "2", *options)


@pytest.mark.slow
def test_names_depend_on_neither_the_clock_nor_the_hash_seed() -> None:
    first, second = names(ROOT)
    assert len(first) > 1000
    assert first == second


def test_a_name_that_holds_the_time_is_seen(tmp_path: Path) -> None:
    (tmp_path / "test_packed.py").write_text(PACKED)
    first, second = names(tmp_path, "--rootdir", str(tmp_path))
    assert len(first) == 1
    assert first != second
