"""The guard mends what DVC leaves half-written when it is killed, and never outlives its DVC for long."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from goodfit.doctor.guard import mend_torn

SLOW = "print('PID', os.getpid(), flush=True)\ntime.sleep(60)"


def test_a_torn_path_lock_is_gone_before_the_next_run(repository: Any) -> None:
    repository.graph()
    repository.script("toy", SLOW)
    process = repository.start("python", "-m", "dvc", "repro")
    for line in process.stdout:
        if line.startswith("PID"):
            break
    deadline = time.monotonic() + 20
    while not repository.guards() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(repository.guards()) == 1
    time.sleep(1.0)  # its imports
    lock = repository.root / ".dvc/tmp/rwlock"
    lock.write_text("")  # what a kill between DVC's truncation and its write leaves
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    repository.script("toy", "open('out.txt', 'w').write('whole')")
    again = repository.dvc("repro")
    assert again.returncode == 0, again.stdout
    repository.settle()


def test_what_is_whole_is_left_alone(tmp_path: Path) -> None:
    lock = tmp_path / ".dvc/tmp/rwlock"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}")
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    mend_torn(tmp_path)
    assert lock.read_text() == "{}"
    assert (tmp_path / "dvc.lock").read_text() == "schema: '2.0'\nstages: {}\n"


def test_half_files_are_mended(tmp_path: Path) -> None:
    lock = tmp_path / ".dvc/tmp/rwlock"
    lock.parent.mkdir(parents=True)
    lock.write_text('{"a": {"wri')
    (tmp_path / ".goodfit").mkdir()
    (tmp_path / ".goodfit/dvc.lock.good").write_text("stages: {}\n")
    (tmp_path / "dvc.lock").write_text("stages: {")
    mend_torn(tmp_path)
    assert not lock.exists()
    assert (tmp_path / "dvc.lock").read_text() == "stages: {}\n"


def test_a_second_guard_leaves_at_once(tmp_path: Path) -> None:
    (tmp_path / ".goodfit").mkdir()
    command = [sys.executable, "-m", "goodfit.doctor.guard", str(os.getpid())]
    first = subprocess.Popen(command, cwd=tmp_path)
    deadline = time.monotonic() + 20
    while not (tmp_path / ".goodfit/guard").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    assert subprocess.run(command, cwd=tmp_path, check=False, timeout=20).returncode == 0
    assert first.poll() is None
    first.terminate()
    first.wait()
