"""What ties a run to code, data and search."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goodfit.files import digest_of_file, write_json
from goodfit.tracking import evaluation_metrics, read_record, record_tags, search_attempt
from goodfit.tracking.figures import curves
from goodfit.tracking.provenance import git_state

Maker = Callable[..., dict[str, Any]]


def _git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    _git(tmp_path, "init", "-q")
    (tmp_path / "code.py").write_text("x = 1\n")
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\n")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_the_commit_is_recorded_and_what_the_pipeline_writes_is_no_change(repository: Path) -> None:
    commit = _git(repository, "rev-parse", "HEAD")
    assert git_state(repository) == (commit, False)
    (repository / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    (repository / "metrics.json").write_text("{}")
    assert git_state(repository) == (commit, False)


@pytest.mark.parametrize("name", ["code.py", "new_model.py"])
def test_a_change_or_a_new_file_makes_the_tree_dirty(repository: Path, name: str) -> None:
    (repository / name).write_text("x = 2\n")
    assert git_state(repository)[1] is True


def test_without_git_or_a_commit_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_state(tmp_path) == (None, None)
    _git(tmp_path, "init", "-q")
    assert git_state(tmp_path) == (None, None)
    monkeypatch.setenv("PATH", "")
    assert git_state(tmp_path) == (None, None)


def test_a_record_has_the_names_of_the_contract_and_becomes_tags(tmp_path: Path, record_of: Maker) -> None:
    record = record_of(tmp_path, "a" * 64, params={"source.password": "c4nary", "width": 8})
    contract = {"run_id", "experiment", "params_digest", "git_commit", "git_dirty", "inputs", "created", "attempt"}
    assert contract <= set(record)
    assert "c4nary" not in str(record)
    assert record_tags(record) == {
        "goodfit.params_digest": record["params_digest"],
        "goodfit.git_commit": "none",
        "goodfit.git_dirty": "unknown",
        "dvc.data/train.parquet.md5": "d" * 32,
    }
    write_json(tmp_path / "run.json", record)
    assert read_record(tmp_path) == record


def test_the_search_of_the_workspace_is_the_one_whose_files_lie_there(tmp_path: Path) -> None:
    assert search_attempt(tmp_path) is None
    (tmp_path / "artifacts").mkdir()
    best = tmp_path / "artifacts/best.yaml"
    best.write_text("model.width: 64\n")
    outputs = {"artifacts/best.yaml": digest_of_file(best)}
    write_json(tmp_path / ".goodfit/manifests/tune.json", {"stage": "tune", "key": "k1", "outputs": outputs})
    assert search_attempt(tmp_path) == "k1"
    best.write_text("model.width: 32\n")  # restored by DVC from another search
    assert search_attempt(tmp_path) is None


def test_undefined_figures_are_left_out() -> None:
    report = {
        "train": {"log_loss": {"value": 0.3, "low": None, "high": float("nan")}},
        "test": {"roc_auc": {"value": None}},
        "generalization_gap": {"log_loss": None, "roc_auc": 0.1},
        "baselines": {"dummy": {"log_loss": {"value": 0.7}}},
    }
    assert evaluation_metrics(report) == {"train/log_loss": 0.3, "generalization_gap/roc_auc": 0.1}


def test_a_curve_with_gaps_keeps_its_other_points(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("epoch,train/loss,valid/loss\n1,0.5,\n2,nan,0.4\n")
    assert list(curves(tmp_path / "c.csv")) == [(0, 1, {"train/loss": 0.5}), (0, 2, {"valid/loss": 0.4})]
    assert list(curves(tmp_path / "none.csv")) == []
