"""What DVC does silently wrong around a stage, each time with goodfit's defence and without it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import parse_yaml

from goodfit.doctor import examine, mend
from goodfit.doctor.dvc_state import examine_cache, examine_lock_file, examine_path_locks

PROJECT = Path(__file__).parents[2]
WRITE = "open('out.txt', 'w').write('whole')"
SLOW = "open('out.txt', 'w').write('half')\nprint('PID', os.getpid(), flush=True)\ntime.sleep(60)"


def child_of(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("PID"):
            return int(line.split()[1])
    raise AssertionError("the stage never started")


def committed(repository: Any) -> bool:
    lock = repository.root / "dvc.lock"
    return lock.exists() and "toy" in parse_yaml(lock.read_text(), "dvc.lock").get("stages", {})


def gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_terminated_stage_is_not_up_to_date(repository: Any, wrapped: bool) -> None:
    """Lightning turns SIGTERM into SystemExit without a code: the process exits 0, and DVC commits half a training."""
    repository.graph()
    as_lightning_does = "signal.signal(signal.SIGTERM, lambda *a: sys.exit())\n" if not wrapped else ""
    repository.script("toy", as_lightning_does + SLOW, wrapped)
    process = repository.start("python", "-m", "dvc", "repro")
    os.kill(child_of(process), signal.SIGTERM)
    process.communicate(timeout=60)
    assert committed(repository) is not wrapped
    assert (process.returncode != 0) is wrapped


@pytest.mark.parametrize("wrapped", [True, False])
def test_killing_dvc_leaves_no_stage_behind(repository: Any, wrapped: bool) -> None:
    repository.graph()
    repository.script("toy", SLOW, wrapped)
    process = repository.start("python", "-m", "dvc", "repro")
    child = child_of(process)
    process.kill()
    process.wait()
    try:
        assert gone_within(child, 10 if wrapped else 2) is wrapped
    finally:
        os.killpg(process.pid, signal.SIGKILL) if not wrapped else None
        process.communicate()
    assert not committed(repository)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_stage_runs_again_by_itself(repository: Any, number: signal.Signals) -> None:
    repository.graph()
    repository.script("toy", SLOW)
    process = repository.start("python", "-m", "dvc", "repro")
    child_of(process)
    os.killpg(process.pid, number)
    process.communicate(timeout=60)
    assert not committed(repository)
    repository.script("toy", WRITE)
    assert repository.dvc("repro").returncode == 0
    assert (repository.root / "out.txt").read_text() == "whole"
    assert examine_ok(repository.root)


def examine_ok(root: Path) -> bool:
    return all(finding.ok for finding in examine(root, (examine_lock_file, examine_path_locks, examine_cache)))


def test_outputs_are_deleted_before_a_stage_but_its_state_is_not(repository: Any) -> None:
    repository.graph()
    remember = (
        "stage.state.mkdir(parents=True, exist_ok=True)\n"
        "seen = list(stage.state.iterdir())\n"
        "(stage.state / 'epoch-1').touch()\n"
        "assert not os.path.exists('out.txt')\n"
        "open('out.txt', 'w').write(str(len(seen)))\n"
        "if not seen: os.kill(os.getpid(), signal.SIGKILL)"
    )
    repository.script("toy", remember)
    assert repository.dvc("repro").returncode != 0
    assert repository.dvc("repro").returncode == 0
    assert (repository.root / "out.txt").read_text() == "1"


@pytest.mark.parametrize("ignored", [True, False])
def test_byte_code_is_no_change_of_the_code(repository: Any, ignored: bool) -> None:
    repository.graph("pipeline")
    repository.script("toy", WRITE)
    if not ignored:
        (repository.root / ".dvcignore").write_text("")
    assert repository.dvc("repro").returncode == 0
    (repository.root / "pipeline/__pycache__").mkdir(exist_ok=True)
    (repository.root / "pipeline/__pycache__/toy.cpython-311.pyc").write_bytes(b"x")
    assert ("Running stage" in repository.dvc("repro").stdout) is not ignored


def test_a_corrupted_cache_object_is_found_and_made_again(repository: Any) -> None:
    repository.graph()
    repository.script("toy", WRITE)
    repository.dvc("repro")
    repository.settle()
    cached = next(path for path in (repository.root / ".dvc/cache/files/md5").rglob("*") if path.is_file())
    cached.chmod(0o644)
    cached.write_text("flipped")
    (repository.root / "out.txt").unlink()
    repository.dvc("checkout")
    assert (repository.root / "out.txt").read_text() == "flipped", "DVC hands it out without a word"
    findings = examine(repository.root, (examine_cache,))
    assert [finding.ok for finding in findings] == [False]
    assert mend(findings) == []
    assert repository.dvc("repro").returncode == 0
    assert (repository.root / "out.txt").read_text() == "whole"


STRANGER = {"pid": 1, "cmd": "dvc repro"}
"""A process that lives, and is no DVC."""


@pytest.mark.parametrize(
    "content",
    [
        '{"a": {"wri',
        '{"a": 3}',
        json.dumps({"/x": {"write": STRANGER}}),
        json.dumps({"write": {"/x": STRANGER}, "read": {}}),
        json.dumps({"write": {}, "read": {"/x": [STRANGER]}}),
    ],
)
def test_a_torn_or_stale_path_lock_is_mended(repository: Any, content: str) -> None:
    repository.graph()
    repository.script("toy", WRITE)
    lock = repository.root / ".dvc/tmp/rwlock"
    lock.write_text(content.replace("/x", str(repository.root / "out.txt")))
    assert repository.dvc("repro").returncode != 0, "DVC alone stops at it"
    findings = examine(repository.root, (examine_path_locks,))
    assert [finding.ok for finding in findings] == [False]
    mend(findings)
    assert repository.dvc("repro").returncode == 0


def test_path_locks_that_nobody_holds_are_free_and_those_of_a_live_dvc_are_left(repository: Any) -> None:
    lock = repository.root / ".dvc/tmp/rwlock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text('{"write": {}}')  # what DVC leaves behind
    assert [(f.ok, f.detail) for f in examine(repository.root, (examine_path_locks,))] == [(True, "free")]
    dvc = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "dvc", "repro"])
    try:
        lock.write_text(json.dumps({"write": {"out.txt": {"pid": dvc.pid, "cmd": "dvc repro"}}}))
        found = [(f.ok, f.detail) for f in examine(repository.root, (examine_path_locks,))]
    finally:
        dvc.kill()
        dvc.wait()
    assert found == [(True, "held by a live DVC")]


@pytest.mark.parametrize("keep_copy", [True, False])
def test_half_a_lock_file_is_put_back(repository: Any, keep_copy: bool) -> None:
    repository.graph()
    repository.script("toy", WRITE)
    repository.dvc("repro")
    repository.settle()
    lock = repository.root / "dvc.lock"
    whole = lock.read_text()
    if keep_copy:
        (repository.root / ".goodfit/dvc.lock.good").write_text(whole)
    lock.write_text(whole[: len(whole) // 2] + '\n  "')
    assert repository.dvc("repro").returncode != 0, "DVC alone stops at it"
    findings = examine(repository.root, (examine_lock_file,))
    assert [finding.ok for finding in findings] == [False]
    mend(findings)
    assert repository.dvc("repro").returncode == 0
    assert lock.read_text() == whole


def test_telemetry_is_off() -> None:
    assert "analytics = false" in (PROJECT / ".dvc/config").read_text()
