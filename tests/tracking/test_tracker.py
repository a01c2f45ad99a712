"""Runs as the stages open, fill and close them, in a real SQLite store."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from goodfit.errors import ConfigurationError, DataError, Interrupted
from goodfit.stage import Owner
from goodfit.tracking import Run, Tracker, TrackingSection


def test_a_candidate_goes_from_search_to_training_to_evaluation(
    root: Path, section: TrackingSection, store: Any
) -> None:
    with Tracker(section, root) as tracker, tracker.candidate("search", search="search") as run:
        tracker.flush()
        assert store.run("search").info.status == "RUNNING"
        first = run.id
    assert store.run("search").info.status == "SCHEDULED"
    opened = {"search": "search", "params": {"model.width": 8}}
    with Tracker(section, root) as tracker, tracker.candidate("train", **opened) as run:
        run.metrics({"train/loss": 0.5, "valid/loss": 0.6}, 1)
        tracker.flush()
        assert run.id == first
    assert store.run("train").info.run_name == "candidate-train"
    assert store.run("train").info.status == "SCHEDULED"
    with Tracker(section, root) as tracker, tracker.candidate("train", search="search") as run:
        run.metrics({"test/roc_auc": 0.8})
        run.finish("FINISHED")
    done = store.run("train")
    assert len(store.runs()) == 1
    assert (done.info.run_id, done.info.status, done.data.params) == (first, "FINISHED", {"model.width": "8"})
    assert done.data.metrics == {"train/loss": 0.5, "valid/loss": 0.6, "test/roc_auc": 0.8}


def test_a_stage_that_ends_at_once_does_not_wait_for_the_first_request(
    root: Path, section: TrackingSection, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goodfit.tracking.sender.BEGIN", 600.0)
    with Tracker(section, root) as tracker, tracker.candidate("tune") as run:
        run.metrics({"valid/loss": 0.5}, 1)
    assert len(store.runs()) == 1, "closing the tracker sends what waits"


def test_a_second_training_of_a_search_opens_its_own_run(root: Path, section: TrackingSection, store: Any) -> None:
    for attempt, search in (("search", "search"), ("one", "search"), ("two", "search")):
        with Tracker(section, root) as tracker, tracker.candidate(attempt, search=search):
            pass
    assert len(store.runs()) == 2
    assert store.run("two").data.tags["goodfit.search_run_id"] == store.run("one").info.run_id


def test_a_search_that_speaks_again_leaves_the_training_its_run(
    root: Path, section: TrackingSection, store: Any
) -> None:
    for attempt, tags in (("search", {"x": "search"}), ("one", {"x": "train"}), ("search", {"x": "search"})):
        with Tracker(section, root) as tracker, tracker.candidate(attempt, search="search", tags=tags) as run:
            if attempt == "search":
                tracker.trial(run, 0).finish_trial("COMPLETE")
    assert len(store.runs()) == 2
    assert store.run("one").data.tags["x"] == "train"
    assert store.run("search-0").data.tags["mlflow.parentRunId"] == store.run("one").info.run_id


def test_trials_in_threads_are_children_of_their_search(root: Path, section: TrackingSection, store: Any) -> None:
    with Tracker(section, root) as tracker, tracker.candidate("search", search="search") as parent:

        def one(number: int) -> None:
            trial = tracker.trial(parent, number, params={"regularization.dropout.p": 0.0})
            for epoch in range(3):
                trial.metrics({"train/loss": 1 / (epoch + 1), "valid/loss": 1.0}, epoch)
            trial.finish_trial("PRUNED" if number % 2 else "COMPLETE")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one, range(8)))
    children = store.runs(f"tags.`mlflow.parentRunId` = '{parent.id}'")
    assert len(children) == 8
    assert {run.info.status for run in children} == {"FINISHED"}
    assert {run.data.tags["goodfit.trial_state"] for run in children} == {"PRUNED", "COMPLETE"}
    assert all(run.data.params == {"regularization.dropout.p": "0.0"} for run in children)
    assert store.curve("search-3", "train/loss") == [(0, 1.0), (1, 0.5), (2, pytest.approx(1 / 3))]


def test_a_failed_trial_is_failed_and_says_why(root: Path, section: TrackingSection, store: Any) -> None:
    with Tracker(section, root) as tracker, tracker.candidate("search", search="search") as parent:
        tracker.trial(parent, 0).finish_trial("FAIL", "ValueError: no rows")
    failed = store.run("search-0")
    assert (failed.info.status, failed.data.tags["goodfit.trial_state"]) == ("FAILED", "FAIL")
    assert failed.data.tags["goodfit.error"] == "ValueError: no rows"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DataError("a column is missing"), "FAILED"),
        (ZeroDivisionError("division by zero"), "FAILED"),
        (Interrupted(signal.SIGTERM), "KILLED"),
        (KeyboardInterrupt(), "KILLED"),
        (SystemExit(), "KILLED"),
    ],
)
def test_what_ends_the_work_ends_its_runs(
    root: Path, section: TrackingSection, store: Any, error: BaseException, status: str
) -> None:
    with pytest.raises(type(error)), Tracker(section, root) as tracker, tracker.candidate("search") as parent:
        tracker.trial(parent, 0)
        raise error
    assert [run.info.status for run in store.runs()] == [status, status]


def test_an_attempt_that_is_resumed_uses_its_run_and_repeats_no_point(
    root: Path, section: TrackingSection, store: Any
) -> None:
    for last in (3, 5):  # the second process repeats epochs 1 to 3, as after a crash
        with Tracker(section, root) as tracker, tracker.candidate("train", params={"a": 1}) as run:
            for epoch in range(1, last + 1):
                run.metrics({"valid/loss": 1 / epoch}, epoch)
    assert store.curve("train", "valid/loss") == [(epoch, 1 / epoch) for epoch in range(1, 6)]
    assert len(store.runs()) == 1


def test_the_latest_of_a_single_figure_counts_though_the_clock_went_back(
    root: Path, section: TrackingSection, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Tracker(section, root) as tracker, tracker.candidate("train") as run:
        run.metrics({"test/roc_auc": 0.7})
    monkeypatch.setattr("goodfit.tracking.outbox._now", lambda: 1_000_000)
    with Tracker(section, root) as tracker, tracker.candidate("train") as run:
        run.metrics({"test/roc_auc": 0.8})
    assert store.run("train").data.metrics == {"test/roc_auc": 0.8}


def test_a_run_that_the_store_has_lost_is_told_again_from_its_first_event(
    root: Path, section: TrackingSection, store: Any, said: list[str]
) -> None:
    (root / "note.txt").write_text("x")
    with Tracker(section, root) as tracker, tracker.candidate("train", params={"a": 1}) as run:
        run.metrics({"train/loss": 1.0}, 1)
        run.artifact(root / "note.txt")
        assert tracker.flush(30)
        store.client.delete_run(run.id)
    with Tracker(section, root) as tracker, tracker.candidate("train", params={"a": 1}) as run:
        run.metrics({"train/loss": 0.5}, 2)
    assert store.curve("train", "train/loss") == [(1, 1.0), (2, 0.5)]
    assert store.run("train").data.params == {"a": "1"}
    assert all("note.txt" not in line for line in said)  # it was dropped when it was sent; `record` has it


def test_another_tracker_is_told_from_the_first_event(
    root: Path, section: TrackingSection, store: Any, blank_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "mlflow.db").write_bytes(blank_database.read_bytes())
    moved = section.model_copy(update={"uri": f"sqlite:///{other}/mlflow.db"})
    for place in (section, moved):
        with Tracker(place, root) as tracker, tracker.candidate("train") as run:
            run.metrics({"train/loss": 1.0}, 1 if place is section else 2)
    assert type(store)(other).curve("train", "train/loss") == [(1, 1.0), (2, 1.0)]


def test_params_stay_what_they_were_and_the_refusal_is_told(
    root: Path, section: TrackingSection, store: Any, said: list[str]
) -> None:
    for width in (8, 16):
        with Tracker(section, root) as tracker, tracker.candidate("train", params={"model.width": width, "seed": 1}):
            pass
    assert store.run("train").data.params == {"model.width": "8", "seed": "1"}
    assert ["model.width" in line for line in said] == [True]


def test_infinity_and_nan_become_tags(root: Path, section: TrackingSection, store: Any) -> None:
    with Tracker(section, root) as tracker, tracker.candidate("train") as run:
        run.metrics({"train/loss": float("inf"), "valid/loss": float("nan"), "lr": 0.1}, 4)
    run = store.run("train")
    assert run.data.metrics == {"lr": 0.1}
    assert run.data.tags["goodfit.not_finite.train/loss"] == "inf at step 4"
    assert run.data.tags["goodfit.not_finite.valid/loss"] == "nan at step 4"


def test_a_long_param_is_kept_whole_beside_its_digest(root: Path, section: TrackingSection, store: Any) -> None:
    values = {"source.query": "x" * 7000, "schema.types.größe (cm)": "numeric", "schema.types.a@b": 1, "off": None}
    with Tracker(section, root) as tracker, tracker.candidate("train") as run:
        run.params(values)
    done = store.run("train")
    assert done.data.params["source.query"].startswith("sha256:")
    assert done.data.params["off"] == "null"
    assert done.data.tags["goodfit.kept"] == "schema.types.a@b, schema.types.größe (cm), source.query"
    kept = (Path(done.info.artifact_uri) / "params.json").read_text()
    assert "x" * 7000 in kept and "a@b" in kept


def test_names_that_a_store_would_merge_or_alter_are_refused_before_anything_is_sent(
    root: Path, section: TrackingSection, store: Any
) -> None:
    with Tracker(section, root) as tracker, tracker.candidate("train") as run:
        for values in ({"a%b": 1.0}, {"Loss": 1.0, "loss": 2.0}, {"../x": 1.0}, {"": 1.0}, {"x" * 300: 1.0}):
            with pytest.raises(ConfigurationError, match=r"metric '"):
                run.metrics(values)
        with pytest.raises(ConfigurationError, match="case only"):
            run.params({"Model.width": 1, "model.width": 2})
    assert store.run("train").data.metrics == {}


@pytest.mark.parametrize("attempt", ["", "../x", "a/b", "a'b", "x" * 300, "."])
def test_an_attempt_must_be_able_to_name_a_folder(root: Path, section: TrackingSection, attempt: str) -> None:
    with pytest.raises(ConfigurationError, match="attempt"):
        Tracker(section, root).candidate(attempt)


def test_runs_of_dead_processes_are_killed_and_those_of_living_ones_left(
    root: Path, section: TrackingSection, store: Any
) -> None:
    me = Owner.me()
    owners = {
        "living": str(me),
        "dead": str(Owner(me.host, me.boot, me.pid, me.started - 5)),
        "rebooted": str(Owner(me.host, "another boot", me.pid, me.started)),
        "elsewhere": str(Owner("another host", "b", 1, 1.0)),
        "foreign": "",
    }
    experiment = store.client.create_experiment("churn")
    for attempt, owner in owners.items():
        store.client.create_run(experiment, tags={"goodfit.attempt": attempt, "goodfit.owner": owner})
    assert Tracker(section, root).close_orphans() == 2
    statuses = {attempt: store.run(attempt).info.status for attempt in owners}
    assert {attempt for attempt, status in statuses.items() if status == "KILLED"} == {"dead", "rebooted"}
    assert Tracker(section, root).close_orphans() == 0


def test_processes_that_close_the_same_orphans_do_not_take_each_other_for_an_outage(
    root: Path, section: TrackingSection, store: Any
) -> None:
    experiment = store.client.create_experiment(section.experiment)
    me = Owner.me()
    gone = str(Owner(me.host, me.boot, me.pid, me.started - 5))
    for number in range(8):
        store.client.create_run(experiment, tags={"goodfit.attempt": f"attempt{number}", "goodfit.owner": gone})
    trackers = [Tracker(section, root) for _ in range(3)]
    barrier = threading.Barrier(3)

    def close(tracker: Tracker) -> int:
        barrier.wait()
        return tracker.close_orphans()

    with ThreadPoolExecutor(3) as pool:
        closed = list(pool.map(close, trackers))
    assert sum(closed) >= 8
    assert [run.info.status for run in store.runs()] == ["KILLED"] * 8


def test_an_inherited_environment_changes_nothing(
    root: Path, section: TrackingSection, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_PARENT_RUN_ID"):
        monkeypatch.setenv(name, "0123456789abcdef0123456789abcdef")
    with Tracker(section, root) as tracker, tracker.candidate("train", tags={"x": 1}):
        pass
    assert store.run("train").data.tags["x"] == "1"
    assert "mlflow.parentRunId" not in store.run("train").data.tags


def test_inputs_carry_the_digest_that_dvc_gave_them(root: Path, section: TrackingSection, store: Any) -> None:
    digests = {"data/train.parquet": "a" * 32, "data/folder": "b" * 32 + ".dir"}
    for _ in range(2):
        with Tracker(section, root) as tracker, tracker.candidate("train") as run:
            run.inputs(digests)
    inputs = store.client.get_run(store.run("train").info.run_id).inputs.dataset_inputs
    assert {(i.dataset.name, i.dataset.digest) for i in inputs} == {("train", "a" * 32), ("folder", "b" * 32 + ".dir")}
    assert {tag.value for i in inputs for tag in i.tags} == {"train", "folder"}


def test_a_file_that_changes_after_it_was_recorded_is_recorded_as_it_was(
    root: Path, section: TrackingSection, store: Any
) -> None:
    (root / "reports").mkdir()
    (root / "reports/a.txt").write_text("then")
    with Tracker(section, root) as tracker, tracker.candidate("train") as run:
        run.artifact(root / "reports", "all")
        run.artifact(root / "reports/a.txt")
        (root / "reports/a.txt").write_text("now")
    folder = Path(store.run("train").info.artifact_uri)
    assert [(folder / name).read_text() for name in ("all/reports/a.txt", "a.txt")] == ["then", "then"]
    assert not list((root / ".goodfit/outbox").glob("*/files"))


def test_a_validation_that_said_no_is_on_record(root: Path, section: TrackingSection, store: Any) -> None:
    report = root / "validation.json"
    report.write_text("{}")
    with Tracker(section, root) as tracker:
        tracker.failed_validation("check", report, {"dvc.data/raw.parquet.md5": "a" * 32}, "3 checks failed")
    run = store.run("check")
    assert (run.info.status, run.data.tags["goodfit.error"]) == ("FAILED", "3 checks failed")
    assert store.files("check") == {"reports/validation.json"}


def test_a_deleted_experiment_is_restored(root: Path, section: TrackingSection, store: Any) -> None:
    experiment = store.client.create_experiment("churn")
    store.client.delete_experiment(experiment)
    with Tracker(section, root) as tracker, tracker.candidate("train"):
        pass
    assert store.client.get_experiment(experiment).lifecycle_stage == "active"
    assert store.run("train").info.experiment_id == experiment


def test_opening_and_logging_cost_the_training_next_to_nothing(root: Path, section: TrackingSection) -> None:
    import time

    with Tracker(section, root) as tracker:
        begun = time.perf_counter()
        run: Run = tracker.candidate("train")
        for epoch in range(200):
            run.metrics({f"train/{name}": 0.5 for name in "abcdefgh"}, epoch)
        spent = time.perf_counter() - begun
        tracker.flush()
    assert spent < 1.0, f"{spent:.2f} s for 200 epochs"
