import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from goodfit.files import digest_of_file


def test_a_stage_that_wrote_its_outputs_succeeds_and_is_vouched_for(toy: Any) -> None:
    result = toy.run()
    assert (result.returncode, result.stderr) == (0, "")
    manifest = json.loads(toy.manifest.read_text())
    assert manifest["outputs"]["one.txt"] == digest_of_file(toy.root / "one.txt")
    assert manifest["outputs"]["two"].endswith(".dir")


def test_an_output_that_is_not_written_is_a_failure(toy: Any) -> None:
    toy.write('Path("one.txt").write_text("1")')
    result = toy.run()
    assert result.returncode == 3
    assert "two: stage 'toy' declares this output and did not write it" in result.stderr
    assert not toy.manifest.exists()


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ('raise ConfigurationError([Fault("a", "is wrong", 3, "Mend it.")])', 2, "a: is wrong (it is 3). Mend it."),
        ('raise DataError("no rows")', 3, "no rows"),
        ('raise MachineError("no GPU")', 4, "no GPU"),
        ('raise ServiceError("database is down")', 5, "database is down"),
        ('raise GateError("gate said no")', 6, "gate said no"),
        ("raise MemoryError", 4, "out of memory"),
        ('raise OSError(28, "No space left on device", "x")', 5, "Free space"),
        ('raise PermissionError(13, "Permission denied", "x")', 4, "Mend the permission"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("sys.exit()", 1, "a library ended the process (exit None)"),
        ("sys.exit(0)", 1, "a library ended the process (exit 0)"),
        ("raise KeyboardInterrupt", 130, "interrupted"),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", 143, "interrupted by signal 15"),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", 130, "interrupted by signal 2"),
    ],
)  # fmt: skip
def test_every_failure_has_its_code_and_line_and_no_manifest(toy: Any, body: str, code: int, message: str) -> None:
    toy.run()
    assert toy.manifest.exists()
    toy.write(f'Path("one.txt").write_text("1")\nPath("two").mkdir()\n{body}')
    result = toy.run()
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback (most recent call last)" not in result.stderr
    assert not toy.manifest.exists()
    assert json.loads((toy.root / ".goodfit/last_failure.json").read_text()) == {"exit_code": code, "stage": "toy"}


def test_without_the_wrapper_system_exit_would_pass_for_success(tmp_path: Path) -> None:
    script = tmp_path / "plain.py"
    script.write_text("import sys\nsys.exit()\n")
    assert subprocess.run([sys.executable, str(script)], check=False).returncode == 0


def test_the_traceback_of_a_bug_is_kept(toy: Any) -> None:
    toy.write("1 / 0")
    result = toy.run()
    log = toy.root / result.stderr.split("Traceback: ")[1].strip()
    assert "ZeroDivisionError" in log.read_text()
    assert "Traceback (most recent call last)" in toy.run(GOODFIT_DEBUG="1").stderr


def test_an_import_that_fails_is_reported_like_the_rest(toy: Any) -> None:
    toy.write(imports="raise MemoryError")
    result = toy.run()
    assert (result.returncode, "out of memory" in result.stderr) == (4, True)


def test_stale_outputs_are_gone_before_the_body_runs(toy: Any) -> None:
    toy.run()
    toy.write('assert not Path("one.txt").exists() and not Path("two").exists()\n' + 'raise GateError("no")')
    assert toy.run().returncode == 6


def test_what_a_killed_process_left_half_written_is_swept(toy: Any) -> None:
    litter = toy.root / ".one.txt.12345.tmp"
    litter.touch()
    assert toy.run().returncode == 0
    assert not litter.exists()


def test_a_live_twin_is_refused_and_named(toy: Any) -> None:
    toy.write("print(os.getpid(), flush=True)\ntime.sleep(60)")
    first = toy.start()
    pid = first.stdout.readline().strip()
    begun = time.monotonic()
    second = toy.run()
    took = time.monotonic() - begun
    first.kill()
    first.communicate()
    assert second.returncode == 4
    assert f"stage 'toy' is running in this workspace, process {pid}" in second.stderr
    assert took < 8


def test_a_killed_holder_holds_nothing(toy: Any) -> None:
    toy.write("print(1, flush=True)\ntime.sleep(60)")
    first = toy.start()
    first.stdout.readline()
    first.kill()  # a zombie now: nobody has waited for it
    toy.write()
    assert toy.run().returncode == 0
    first.communicate()


def test_a_second_signal_ends_at_once(toy: Any) -> None:
    body = "try:\n    print(1, flush=True)\n    time.sleep(60)\nexcept BaseException:\n    time.sleep(60)"
    toy.write(body)
    process = toy.start()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130


@pytest.mark.parametrize("deaf", [False, True])
def test_a_stage_dies_with_its_dvc(toy: Any, deaf: bool) -> None:
    """kill -9 of `dvc repro` alone must not leave a second trainer behind, even when it sits in a long library call."""
    ignore = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]);" if deaf else ""
    toy.write(f"{ignore}print(os.getpid(), flush=True)\ntime.sleep(60)")
    parent = subprocess.Popen(
        [sys.executable, "-c", "import os,subprocess,sys;subprocess.run(['sh','-c','python pipeline/toy.py; true'])"],
        cwd=toy.root, env=toy.environment(DVC_STAGE="toy"), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and Path(f"/proc/{child}").exists():
        time.sleep(0.1)
    assert not Path(f"/proc/{child}").exists()
    parent.stdout.close()


def test_params_faults_come_before_anything_is_removed(toy: Any) -> None:
    toy.run()
    toy.write(params="seed: -1\n")
    result = toy.run()
    assert result.returncode == 2
    assert "params.yaml: seed" in result.stderr
    assert (toy.root / "one.txt").exists()


@pytest.mark.parametrize("change", ["params", "input", "code"])
def test_the_state_key_follows_everything_that_determines_the_result(toy: Any, change: str) -> None:
    def key() -> str:
        assert toy.run().returncode == 0
        return str(json.loads(toy.manifest.read_text())["key"])

    before = key()
    assert key() == before
    if change == "params":
        toy.write(params="seed: 2\n")
    elif change == "input":
        (toy.root / "input.txt").write_text("other")
    else:
        script = toy.root / "pipeline/toy.py"
        script.write_text(script.read_text() + "\n# edited\n")
    assert key() != before


def test_a_broken_pipe_does_not_end_the_work(toy: Any) -> None:
    toy.write('for i in range(20000):\n    say("x" * 100)\n' + 'Path("one.txt").write_text("1")\nPath("two").mkdir()')
    command = f"{sys.executable} pipeline/toy.py | head -1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(
        ["bash", "-c", command], cwd=toy.root, env=toy.environment(), capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def without_root_power() -> list[str]:
    """Root may write anywhere unless it gives the capability up."""
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def test_a_folder_that_cannot_be_written_is_named(toy: Any) -> None:
    toy.root.chmod(0o555)
    command = [*without_root_power(), sys.executable, "pipeline/toy.py"]
    result = subprocess.run(command, cwd=toy.root, env=toy.environment(), capture_output=True, text=True, check=False)
    toy.root.chmod(0o755)
    assert result.returncode == 4, result.stderr
    assert "ermission" in result.stderr


def test_failpoints_are_refused_outside_of_tests(toy: Any) -> None:
    toy.write('failpoint("x")')
    result = toy.run(GOODFIT_FAILPOINT="x:KILL", GOODFIT_TEST="0")
    assert (result.returncode, "is for tests only" in result.stderr) == (2, True)


@pytest.mark.parametrize(("request_", "code"), [("x:2:KILL", -9), ("x:TERM", 143), ("y:KILL", 0), ("x:BANG", 2)])
def test_a_failpoint_sends_its_signal_at_its_passage(toy: Any, request_: str, code: int) -> None:
    toy.write('failpoint("x")\nfailpoint("x")\nPath("one.txt").write_text("1")\nPath("two").mkdir()')
    assert toy.run(GOODFIT_FAILPOINT=request_).returncode == code


def test_the_lock_file_is_kept_while_it_can_be_read(toy: Any) -> None:
    (toy.root / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    toy.run()
    (toy.root / "dvc.lock").write_text("schema: '2.0'\nstag")
    toy.run()
    assert (toy.root / ".goodfit/dvc.lock.good").read_text() == "schema: '2.0'\nstages: {}\n"
