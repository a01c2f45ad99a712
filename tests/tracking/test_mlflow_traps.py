"""What goes silently wrong with MLflow in the obvious way, beside what we do about it."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from goodfit.tracking import Tracker, TrackingSection
from goodfit.tracking.store import isolate


@pytest.fixture
def plain(store: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The store's client with MLflow's own settings, and an experiment to use it on."""
    monkeypatch.delenv("MLFLOW_TRUNCATE_LONG_VALUES", raising=False)
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", raising=False)
    return store.client


def test_nesting_by_thread_loses_the_children(plain: Any, store: Any, root: Path, section: TrackingSection) -> None:
    mlflow.set_tracking_uri(store.uri)
    try:
        mlflow.set_experiment("trap")
        with mlflow.start_run() as parent:

            def child(_: int) -> None:
                with mlflow.start_run(nested=True):
                    pass

            with ThreadPoolExecutor(4) as pool:
                list(pool.map(child, range(8)))
        assert store.runs(f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'") == []
    finally:
        mlflow.set_tracking_uri(None)
    with Tracker(section, root) as tracker, tracker.candidate("search") as run:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: tracker.trial(run, number).finish_trial("COMPLETE"), range(8)))
        tracker.flush()
        assert len(store.runs(f"tags.`mlflow.parentRunId` = '{run.id}'")) == 8


def test_a_failed_run_that_is_entered_again_counts_as_finished(
    plain: Any, store: Any, root: Path, section: TrackingSection
) -> None:
    run_id = plain.create_run(plain.create_experiment("trap")).info.run_id
    plain.set_terminated(run_id, "FAILED")
    mlflow.set_tracking_uri(store.uri)
    try:
        with mlflow.start_run(run_id=run_id):
            pass
        assert plain.get_run(run_id).info.status == "FINISHED"
    finally:
        mlflow.set_tracking_uri(None)
    for _ in range(2):
        with pytest.raises(ValueError), Tracker(section, root) as tracker, tracker.candidate("train"):
            raise ValueError
    with Tracker(section, root) as tracker, tracker.candidate("train"):
        pass
    assert store.run("train").info.status == "SCHEDULED"


CRASH = {
    "theirs": "import mlflow; mlflow.set_tracking_uri('sqlite:///mlflow.db'); mlflow.start_run(); raise SystemExit(1)",
    "ours": (
        "from pathlib import Path; from goodfit.tracking import Tracker, TrackingSection\n"
        "tracker = Tracker(TrackingSection(experiment='churn', model_name='m'), Path('.'))\n"
        "tracker.candidate('train'); tracker.flush(30); raise SystemExit(1)"
    ),
}


def test_a_crash_is_recorded_as_finished(root: Path, section: TrackingSection, store: Any) -> None:
    crashes = [
        subprocess.Popen([sys.executable, "-c", code], cwd=root, stderr=subprocess.PIPE) for code in CRASH.values()
    ]
    assert [crash.wait(60) for crash in crashes] == [1, 1]
    for crash in crashes:
        assert crash.stderr is not None
        crash.stderr.close()
    Tracker(section, root).close_orphans()
    statuses = {"ours" if "goodfit.kind" in run.data.tags else "theirs": run.info.status for run in store.runs()}
    assert statuses == {"theirs": "FINISHED", "ours": "KILLED"}


def test_long_values_are_cut_and_infinity_becomes_a_number(plain: Any) -> None:
    run_id = plain.create_run(plain.create_experiment("trap")).info.run_id
    plain.log_param(run_id, "query", "x" * 7000)
    plain.log_metric(run_id, "loss", float("inf"))
    stored = plain.get_run(run_id).data
    assert len(stored.params["query"]) == 6000
    assert stored.metrics["loss"] == pytest.approx(1.7976931348623157e308)


def test_a_batch_that_fails_has_half_happened_and_can_be_sent_again(
    plain: Any, store: Any, root: Path, section: TrackingSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([OSError("disk full")] * 2)
    send = SqlAlchemyStore._log_metrics

    def failing(store: Any, run_id: str, metrics: list[Metric]) -> None:
        for failure in failures if metrics else ():
            raise failure
        send(store, run_id, metrics)

    monkeypatch.setattr(SqlAlchemyStore, "_log_metrics", failing)
    run_id = plain.create_run(plain.create_experiment("trap")).info.run_id
    with pytest.raises(MlflowException, match="disk full"):
        plain.log_batch(run_id, metrics=[Metric("loss", 1.0, 0, 0)], params=[Param("width", "8")])
    stored = plain.get_run(run_id).data
    assert (stored.params, stored.metrics) == ({"width": "8"}, {})
    with Tracker(section, root) as tracker, tracker.candidate("train", params={"width": 8}) as run:
        run.metrics({"loss": 1.0}, 1)
        while not tracker.flush(1):
            pass
    assert (store.run("train").data.params, store.run("train").data.metrics) == ({"width": "8"}, {"loss": 1.0})


def test_a_clock_that_goes_back_hides_the_newer_value(plain: Any) -> None:
    run_id = plain.create_run(plain.create_experiment("trap")).info.run_id
    plain.log_metric(run_id, "test/auc", 0.7, timestamp=2000, step=0)
    plain.log_metric(run_id, "test/auc", 0.8, timestamp=1000, step=0)
    assert plain.get_run(run_id).data.metrics == {"test/auc": 0.7}  # ours: test_tracker, "though the clock went back"


def test_a_repeated_epoch_doubles_its_points(plain: Any) -> None:
    run_id = plain.create_run(plain.create_experiment("trap")).info.run_id
    for timestamp in (1000, 2000):
        plain.log_metric(run_id, "loss", 0.5, timestamp=timestamp, step=1)
    assert len(plain.get_metric_history(run_id, "loss")) == 2  # ours: test_tracker, "repeats no point"


def test_a_tracker_that_is_down_holds_up_the_training_for_minutes(
    plain: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", slept.append)
    with pytest.raises(MlflowException, match="Max retries exceeded"):
        mlflow.MlflowClient("http://127.0.0.1:9").create_experiment("trap")
    assert sum(slept) > 100
    slept.clear()
    isolate()
    with pytest.raises(MlflowException, match="Max retries exceeded"):
        mlflow.MlflowClient("http://127.0.0.1:9").create_experiment("trap")
    assert slept == []
    section = TrackingSection(experiment="e", model_name="m", uri="http://127.0.0.1:9")
    begun = time.perf_counter()
    with Tracker(section, root) as tracker, tracker.candidate("train") as run:
        run.metrics({"loss": 1.0}, 1)
    assert time.perf_counter() - begun < 5


def test_the_default_store_and_a_folder_of_files_are_refused_by_mlflow_itself(tmp_path: Path) -> None:
    with pytest.raises(MlflowException, match="file"):
        mlflow.MlflowClient(str(tmp_path / "mlruns")).create_experiment("trap")
