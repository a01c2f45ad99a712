"""A real SQLite store, made once and copied, and a workspace whose result is ready to be recorded."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from goodfit.data import Column, Schema, Table, write_table
from goodfit.files import write_json
from goodfit.tracking import TrackingSection, run_record
from goodfit.tracking.store import connect


@pytest.fixture(scope="session")
def blank_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh tracking database; making one takes two seconds."""
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    connect(f"sqlite:///{path}")
    return path


@pytest.fixture(autouse=True)
def no_inherited_tracking(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell of the person who runs the tests has set does not matter."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def root(tmp_path: Path, blank_database: Path) -> Path:
    """An empty workspace with a tracking database."""
    shutil.copyfile(blank_database, tmp_path / "mlflow.db")
    return tmp_path


@pytest.fixture
def section() -> TrackingSection:
    """The default section of a project."""
    return TrackingSection(experiment="churn", model_name="churn")


@pytest.fixture
def finished(root: Path) -> Path:
    """A workspace as it lies after evaluate: no tracker has heard of it."""
    table = _table()
    write_table(root / "data/train.parquet", table)
    write_json(root / "models/candidate/bundle.json", {"weights": 1})
    write_json(root / "models/candidate/manifest.json", {"files": {"bundle.json": "abc"}})
    (root / "params.yaml").write_text("seed: 42\n")
    _write(root / "reports/training.csv", "epoch,train/loss,valid/loss,lr\n1,0.7,0.8,0.1\n2,0.5,0.6,0.05\n")
    _write(root / "reports/trials.csv", _TRIALS)
    _write(root / "reports/trial_curves.csv", "number,epoch,train/loss\n0,1,0.9\n0,2,0.8\n1,1,0.95\n")
    estimate = {"value": 0.8, "low": 0.7, "high": 0.9}
    gaps = {"roc_auc": 0.01}
    write_json(root / "metrics.json", {"test": {"roc_auc": estimate}, "generalization_gap": gaps})
    write_json(root / "run.json", _record(root, "a" * 64))
    return root


_TRIALS = "number,state,value,epochs,duration_s,model.width\n0,COMPLETE,0.8,2,1.5,64\n1,PRUNED,0.95,1,0.5,32\n"


def _record(root: Path, attempt: str, **changes: Any) -> dict[str, Any]:
    params = {"model.width": 64, "regularization.dropout.p": 0.0, "regularization.weight_decay.strength": None}
    facts = {"params": params, "inputs": {"data/train.parquet": "d" * 32}, "search": "b" * 64, **changes}
    return run_record(root, attempt=attempt, experiment="churn", figures={"cost/seconds": 1.5}, **facts)


class Store:
    """What lies in a workspace's tracking database, read through MLflow."""

    def __init__(self, root: Path) -> None:
        self.uri = f"sqlite:///{root / 'mlflow.db'}"
        self.client = connect(self.uri)

    def runs(self, condition: str = "") -> list[Any]:
        """Return every run, the oldest first."""
        experiments = [experiment.experiment_id for experiment in self.client.search_experiments()]
        return list(self.client.search_runs(experiments, condition, order_by=["attributes.start_time ASC"]))

    def run(self, attempt: str) -> Any:
        """Return the one run of an attempt."""
        found = self.runs(f"tags.`goodfit.attempt` = '{attempt}'")
        assert len(found) == 1
        return found[0]

    def curve(self, attempt: str, name: str) -> list[tuple[int, float]]:
        """Return every point of a metric, as (step, value)."""
        history = self.client.get_metric_history(self.run(attempt).info.run_id, name)
        return sorted((point.step, point.value) for point in history)

    def files(self, attempt: str) -> set[str]:
        """Return the paths of a run's artifacts."""
        folder = Path(self.run(attempt).info.artifact_uri)
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def store(root: Path) -> Store:
    """The workspace's database."""
    return Store(root)


@pytest.fixture
def record_of() -> Callable[..., dict[str, Any]]:
    """Makes the content of a run.json: record_of(root, attempt, **changes)."""
    return _record


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the tracker told the user."""
    lines: list[str] = []
    monkeypatch.setattr("goodfit.tracking.tracker.say", lines.append)
    return lines


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _table() -> Table:
    plans = {"age": [1, 2, 3], "plan": ["a", "b", "a"], "paid": [1.5, None, 2.0]}
    frame = pd.DataFrame({**plans, "churn": ["no", "yes", "no"]})
    columns = (
        Column("age", "numeric", "feature"),
        Column("plan", "categorical", "feature"),
        Column("paid", "numeric", "feature"),
        Column("churn", "categorical", "target"),
    )
    return Table(frame, Schema(columns, "binary", ("no", "yes")))
