"""A small project with a real tracking database."""

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from goodfit.tracking.store import connect

BENCH = Path(__file__).with_name("bench.py")


def _bench() -> Any:
    """Import bench.py, which is a script as well."""
    name = "retraining_bench"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, BENCH)
        assert spec and spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def blank_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh tracking database; making one takes two seconds."""
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    connect(f"sqlite:///{path}")
    return path


@pytest.fixture
def bench(tmp_path: Path, blank_database: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project that nothing has been trained in."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copyfile(blank_database, tmp_path / "mlflow.db")
    return _bench().Bench(tmp_path).make()


@pytest.fixture(scope="session")
def two_versions(tmp_path_factory: pytest.TempPathFactory, blank_database: Path) -> Path:
    """A project whose second version has replaced the first; copy it."""
    root = tmp_path_factory.mktemp("two")
    shutil.copyfile(blank_database, root / "mlflow.db")
    made = _bench().Bench(root).make()
    assert made.retrain(0.5).status == "promoted"
    made.append(200, 2)
    assert made.retrain(1.5).status == "promoted"
    return root


@pytest.fixture
def second(two_versions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project of one's own, whose second version has replaced the first."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = tmp_path / "project"
    shutil.copytree(two_versions, root)
    return _bench().Bench(root)
