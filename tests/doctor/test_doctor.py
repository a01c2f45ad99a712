import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from goodfit.doctor import EXAMINATIONS, Finding, examine, mend
from goodfit.doctor.environment import examine_git, examine_permissions, examine_versions
from goodfit.doctor.tracker import examine_tracker
from goodfit.doctor.workspace import examine_lease, examine_litter, examine_manifests
from goodfit.files import digest_of_path
from goodfit.stage.lease import lease
from goodfit.stage.manifest import complete

GRAPH = "stages:\n  toy:\n    cmd: python pipeline/toy.py\n    outs: [out.txt]\n"


def only(root: Path, look: object) -> Finding:
    (finding,) = examine(root, (look,))  # type: ignore[arg-type]
    return finding


def test_there_is_something_to_examine() -> None:
    assert len(EXAMINATIONS) == 11


def test_installed_versions_fit() -> None:
    assert only(Path(), examine_versions).ok


def test_a_wrong_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from goodfit.doctor import environment

    monkeypatch.setattr(environment, "version", lambda name: "0.0.1")
    finding = only(Path(), examine_versions)
    assert not finding.ok
    assert "pandas is 0.0.1, and goodfit needs >=3.0" in finding.detail


def test_permissions_and_room(tmp_path: Path) -> None:
    findings = examine(tmp_path, (examine_permissions,))
    assert [finding.name for finding in findings] == ["permissions", "disk"]
    assert findings[0].ok


def test_a_folder_without_git_is_named(tmp_path: Path) -> None:
    assert not only(tmp_path, examine_git).ok
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "x"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert only(tmp_path, examine_git).ok


def test_a_machine_without_git_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in only(tmp_path, examine_git).detail


def test_a_running_stage_is_named_and_no_fault(tmp_path: Path) -> None:
    assert only(tmp_path, examine_lease).detail == "free"
    with lease(tmp_path / ".goodfit/lease", "train"):
        finding = only(tmp_path, examine_lease)
    assert finding.ok
    assert f"stage 'train' is running in this workspace, process {os.getpid()}" in finding.detail


def test_outputs_that_were_changed_by_hand_are_named(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    (tmp_path / "params.yaml").write_text("seed: 1\n")
    out = tmp_path / "out.txt"
    out.write_text("whole")
    complete(tmp_path, "toy", "key", ("out.txt",))
    lock = {"schema": "2.0", "stages": {"toy": {"outs": [{"path": "out.txt", "md5": digest_of_path(out)}]}}}
    (tmp_path / "dvc.lock").write_text(json.dumps(lock))
    assert only(tmp_path, examine_manifests).ok
    out.write_text("edited")
    finding = only(tmp_path, examine_manifests)
    assert not finding.ok
    assert "out.txt no longer as the stage wrote them" in finding.detail


def test_litter_of_dead_processes_is_removed_and_that_of_the_living_is_not(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    dead, living = tmp_path / f"data/.raw.parquet.{process.pid}.tmp", tmp_path / f"data/.raw.parquet.{os.getpid()}.tmp"
    dead.touch()
    living.touch()
    findings = examine(tmp_path, (examine_litter,))
    assert not findings[0].ok
    assert mend(findings) == []
    assert not dead.exists()
    assert living.exists()
    assert only(tmp_path, examine_litter).ok


def test_a_tracker_that_answers_and_one_that_does_not(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("tracking: {experiment: x, model_name: x}\n")
    assert only(tmp_path, examine_tracker).ok
    params.write_text("tracking: {experiment: x, model_name: x, uri: 'http://127.0.0.1:9'}\n")
    finding = only(tmp_path, examine_tracker)
    assert not finding.ok
    assert "does not answer" in finding.detail
    params.write_text("tracking: {experiment: x, model_name: x, uri: 'file:///tmp/mlruns'}\n")
    assert "file store" in only(tmp_path, examine_tracker).detail
