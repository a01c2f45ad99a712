"""Machines that say no: nothing is marked up to date, nothing is lost, and the next `dvc repro` works."""

import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import parse_yaml

GOODFIT = str(Path(sys.executable).parent / "goodfit")
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]
"""Root without the right to ignore permissions: it obeys modes as any owner does."""
needs_setpriv = pytest.mark.skipif(os.getuid() == 0 and not shutil.which("setpriv"), reason="root ignores modes")


def obeying(*command: str) -> list[str]:
    return [*(UNPRIVILEGED if os.getuid() == 0 else []), *command]


def run(project: Any, *command: str, limit: Callable[[], None] | None = None, **environment: str) -> Any:
    return subprocess.run(
        list(command), cwd=project.root, env=project.environment | environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=250, preexec_fn=limit,
    )  # fmt: skip


def repro(project: Any, *arguments: str, **kwargs: Any) -> Any:
    return run(project, *obeying(sys.executable, "-m", "dvc", "repro", *arguments), **kwargs)


def assert_ends_as_undisturbed(project: Any, undisturbed: Any) -> None:
    assert (done := repro(project)).returncode == 0, done.stdout + done.stderr
    assert project.json("metrics.json") == undisturbed.json("metrics.json")
    assert project.weights() == undisturbed.weights()


@needs_setpriv
@pytest.mark.parametrize(("name", "folder"), [("split", "data"), ("tune", ".goodfit")])
def test_a_folder_that_cannot_be_written_is_named(snapshots: Any, tmp_path: Path, name: str, folder: str) -> None:  # E1
    project = snapshots["split"].copy(tmp_path / "project")
    for path in [project.root / folder, *(project.root / folder).rglob("*")]:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)
    done = run(project, *obeying(sys.executable, f"pipeline/{name}.py"))
    (project.root / folder).chmod(0o755)
    assert done.returncode == 4, done.stderr
    assert folder in done.stderr and "Traceback" not in done.stderr


@pytest.mark.faults
@needs_setpriv
def test_a_cache_that_cannot_be_written_commits_nothing(snapshots: Any, tmp_path: Path) -> None:  # E2
    project = snapshots["split"].copy(tmp_path / "project")
    cache = project.root / ".dvc/cache/files/md5"
    folders = [path for path in [cache, *cache.rglob("*")] if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    before = (project.root / "dvc.lock").read_bytes()
    done = repro(project)
    for path in folders:
        path.chmod(0o755)
    assert done.returncode != 0
    assert "Permission denied" in done.stdout + done.stderr
    assert (project.root / "dvc.lock").read_bytes() == before
    assert_ends_as_undisturbed(project, snapshots["record"])


def few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def few_processes() -> None:
    resource.setrlimit(resource.RLIMIT_NPROC, (20, 20))


@pytest.mark.faults
@pytest.mark.parametrize("limit", [few_files, few_processes], ids=["E8 open files", "E11 processes"])
def test_a_tight_limit_ends_in_the_same_result_or_a_clean_refusal(
    snapshots: Any, tmp_path: Path, limit: Callable[[], None]
) -> None:
    project = snapshots["split"].copy(tmp_path / "project")
    done = repro(project, limit=limit)
    assert "Traceback (most recent call last)" not in done.stderr, done.stderr
    assert_ends_as_undisturbed(project, snapshots["record"])


WRONG_VERSION = """
import importlib.metadata as metadata
real = metadata.version
metadata.version = lambda name: "2.0.0" if name.lower() == "pandas" else real(name)
"""


def test_a_wrong_version_is_refused_before_anything_runs(snapshots: Any, tmp_path: Path) -> None:  # E12
    project = snapshots["start"].copy(tmp_path / "project")
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(WRONG_VERSION)
    paths = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    done = run(project, GOODFIT, "repro", PYTHONPATH=paths)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "pandas is 2.0.0" in done.stdout + done.stderr
    assert not (project.root / "data/raw.parquet").exists()


@pytest.mark.faults
@pytest.mark.parametrize("state", ["shallow", "detached", "no commit"])
def test_git_in_an_odd_state_does_not_stop_the_work(snapshots: Any, tmp_path: Path, state: str) -> None:  # E13
    project = snapshots["tune"].copy(tmp_path / "project")
    git = ["git", "-C", str(project.root), "-c", "user.name=t", "-c", "user.email=t@t"]
    if state == "no commit":
        shutil.rmtree(project.root / ".git")
        subprocess.run(["git", "init", "-q", str(project.root)], check=True)
    else:
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "second"], check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
        if state == "shallow":
            (project.root / ".git/shallow").write_text(head)
        else:
            subprocess.run([*git, "checkout", "-q", "--detach"], check=True)
    done = repro(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.json("metrics.json") == snapshots["record"].json("metrics.json")
    commit = project.json("run.json")["git_commit"]
    assert (commit is None) if state == "no commit" else (commit == head.strip())


@needs_setpriv
@pytest.mark.faults
def test_an_unreadable_cache_object_is_named_and_mended(snapshots: Any, tmp_path: Path) -> None:  # S5, mode
    project = snapshots["record"].copy(tmp_path / "project")
    lock = parse_yaml((project.root / "dvc.lock").read_text(), "dvc.lock")
    md5 = lock["stages"]["ingest"]["outs"][0]["md5"]
    cached = project.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    cached.chmod(0o000)
    (project.root / "data/raw.parquet").unlink()
    done = repro(project)
    if done.returncode:
        fixed = run(project, *obeying(GOODFIT, "doctor", "--fix"))
        assert str(cached.name[:8]) in fixed.stdout + fixed.stderr
    assert_ends_as_undisturbed(project, snapshots["record"])


@pytest.mark.faults
def test_merge_markers_in_the_lock_file_are_mended(snapshots: Any, tmp_path: Path) -> None:  # S6
    project = snapshots["record"].copy(tmp_path / "project")
    lock = project.root / "dvc.lock"
    text = lock.read_text()
    half = len(text) // 2
    lock.write_text(f"<<<<<<< HEAD\n{text}=======\n{text[:half]}\n>>>>>>> other\n")
    done = run(project, GOODFIT, "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dvc.lock" in done.stdout + done.stderr
    assert project.json("metrics.json") == snapshots["record"].json("metrics.json")


@pytest.mark.faults
def test_a_lock_file_of_a_later_dvc_is_refused_by_name(snapshots: Any, tmp_path: Path) -> None:  # S6
    project = snapshots["record"].copy(tmp_path / "project")
    lock = project.root / "dvc.lock"
    lock.write_text(lock.read_text().replace("schema: '2.0'", "schema: '9.0'"))
    done = run(project, GOODFIT, "repro")
    assert "Traceback" not in done.stdout + done.stderr
    assert "dvc.lock" in done.stdout + done.stderr
