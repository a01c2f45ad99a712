"""Who holds something: what a clock that is set, a reused process id and a zombie change."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from goodfit.stage import owner
from goodfit.stage.owner import Owner, started_at

STAGE = """
import sys
import time
import psutil
from goodfit.stage.parent import watch_parent
watch_parent()
if sys.platform == "linux":
    began = psutil._pslinux.boot_time()
    psutil._pslinux.boot_time = lambda: began + 30.0  # what a wall clock that is set by half a minute does
    psutil._pslinux.BOOT_TIME = began + 30.0
time.sleep(2)
print("lived", flush=True)
"""


def test_a_stage_outlives_a_clock_that_is_set(tmp_path: Path) -> None:
    environment = os.environ | {"DVC_STAGE": "toy"}
    done = subprocess.run(
        [sys.executable, "-c", STAGE], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "lived\n"), done.stderr


def test_a_holder_is_alive_after_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    me = Owner.me()
    created = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: created(self) + 1.0)
    assert me.alive() or sys.platform != "linux"
    assert Owner.parse(str(me)) == me


def test_who_ended_is_gone_also_before_its_parent_has_asked() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    began = started_at(child.pid)
    assert began is not None and began >= (started_at(os.getpid()) or 0.0)
    child.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while started_at(child.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert started_at(child.pid) is None, "a zombie counts as gone"
    child.wait()
    assert started_at(child.pid) is None


def test_where_no_files_tell_of_processes_psutil_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "PROCESSES", Path("/nowhere"))
    assert started_at(os.getpid()) == pytest.approx(psutil.Process().create_time(), abs=0.01)
    assert started_at(2**22 + 1) is None
