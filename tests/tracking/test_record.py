"""`record` makes the tracker agree with the workspace, whatever happened to either."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

from goodfit.errors import ServiceError
from goodfit.files import read_json, write_json
from goodfit.tracking import Tracker, TrackingSection, evaluation_metrics, record, record_tags

ATTEMPT, SEARCH = "a" * 64, "b" * 64
Maker = Callable[..., dict[str, Any]]


def test_a_lost_run_is_made_again_whole_from_the_files(finished: Path, section: TrackingSection, store: Any) -> None:
    outcome = record(section, finished)
    run = store.run(ATTEMPT)
    assert (outcome.outcome, outcome.run_id, outcome.refused) == ("recreated", run.info.run_id, ())
    assert (run.info.status, run.data.tags["goodfit.kind"]) == ("FINISHED", "candidate")
    assert run.data.params == {
        "model.width": "64",
        "regularization.dropout.p": "0.0",
        "regularization.weight_decay.strength": "null",
    }
    assert run.data.metrics == {
        "train/loss": 0.5,
        "valid/loss": 0.6,
        "lr": 0.05,
        "cost/seconds": 1.5,
        "test/roc_auc": 0.8,
        "test/roc_auc_low": 0.7,
        "test/roc_auc_high": 0.9,
        "generalization_gap/roc_auc": 0.01,
    }
    assert store.curve(ATTEMPT, "train/loss") == [(1, 0.7), (2, 0.5)]
    assert {"params.yaml", "run.json", "metrics.json", "reports/training.csv"} <= store.files(ATTEMPT)
    assert run.data.tags["dvc.data/train.parquet.md5"] == "d" * 32
    assert len(run.outputs.model_outputs) == 1


def test_lost_trials_are_made_again_as_children_with_every_setting(
    finished: Path, section: TrackingSection, store: Any
) -> None:
    record(section, finished)
    parent = store.run(ATTEMPT).info.run_id
    children = store.runs(f"tags.`mlflow.parentRunId` = '{parent}'")
    assert [run.data.tags["goodfit.trial_state"] for run in children] == ["COMPLETE", "PRUNED"]
    assert {run.info.status for run in children} == {"FINISHED"}
    assert store.run(f"{SEARCH}-1").data.params["model.width"] == "32"
    assert set(store.run(f"{SEARCH}-1").data.params) == set(store.run(ATTEMPT).data.params)
    assert store.curve(f"{SEARCH}-0", "train/loss") == [(1, 0.9), (2, 0.8)]


def test_a_lost_trial_in_which_an_option_did_not_exist_does_not_get_the_candidates(
    finished: Path, section: TrackingSection, store: Any
) -> None:
    path = finished / "reports/trials.csv"
    header, *lines = path.read_text().splitlines()
    names = [f"{header},gap,choose.loss,regularization.dropout.p", f"{lines[0]},.1,focal,0.2", f"{lines[1]},.2,,"]
    path.write_text("\n".join(names) + "\n")
    record(section, finished)
    with_it, without = (store.run(f"{SEARCH}-{number}").data.params for number in range(2))
    assert with_it["regularization.dropout.p"] == "0.2"
    assert set(with_it) - set(without) == {"regularization.dropout.p"}
    assert set(with_it) == set(store.run(ATTEMPT).data.params)


def test_nothing_is_done_twice(finished: Path, section: TrackingSection, store: Any) -> None:
    outcomes = [record(section, finished).outcome for _ in range(2)]
    (finished / ".goodfit/recorded.json").unlink()
    before = _content(store)
    outcomes.append(record(section, finished).outcome)
    assert outcomes == ["recreated", "unchanged", "updated"]
    assert _content(store) == before
    assert len(store.client.search_logged_models(["1"])) == 1


def test_a_param_flipped_back_makes_the_old_run_current_again(
    finished: Path, section: TrackingSection, store: Any, record_of: Maker
) -> None:
    record(section, finished)
    first = read_json(finished / "run.json")
    write_json(finished / "run.json", record_of(finished, "c" * 64, search=None))
    (finished / "reports/trials.csv").unlink()
    record(section, finished)
    assert _current(store) == ["c" * 64]
    write_json(finished / "run.json", first)  # as DVC's run-cache does: no stage runs
    assert record(section, finished).outcome == "updated"
    assert _current(store) == [ATTEMPT]
    assert store.run("c" * 64).data.tags["goodfit.current"] == "false"


def test_another_evaluation_of_the_same_model_replaces_its_figures(
    finished: Path, section: TrackingSection, store: Any
) -> None:
    record(section, finished)
    old = read_json(finished / "metrics.json")
    for value in (0.5, 0.8):  # and back, from DVC's cache
        new = json.loads(json.dumps(old))
        new["test"]["roc_auc"]["value"] = value
        write_json(finished / "metrics.json", new)
        assert record(section, finished).outcome == "updated"
        assert store.run(ATTEMPT).data.metrics["test/roc_auc"] == value
    assert store.curve(ATTEMPT, "train/loss") == [(1, 0.7), (2, 0.5)]
    assert len(store.runs()) == 3


def test_a_lost_database_is_noticed_and_filled(
    finished: Path, section: TrackingSection, store: Any, blank_database: Path
) -> None:
    record(section, finished)
    shutil.copyfile(blank_database, finished / "new.db")
    fresh = section.model_copy(update={"uri": "sqlite:///new.db"})  # SQLite keeps a file open that is taken away
    assert [record(fresh, finished).outcome for _ in range(2)] == ["recreated", "unchanged"]
    assert record(section, finished).outcome == "updated"  # and the old one again


def test_deleted_artifacts_come_back(finished: Path, section: TrackingSection, store: Any) -> None:
    record(section, finished)
    folder = Path(store.run(ATTEMPT).info.artifact_uri)
    shutil.rmtree(folder)
    record(section, finished)
    assert (folder / "metrics.json").exists()


def test_a_run_deleted_in_the_interface_is_made_again(finished: Path, section: TrackingSection, store: Any) -> None:
    first = record(section, finished).run_id
    store.client.delete_run(first)
    assert record(section, finished).outcome == "recreated"
    assert store.run(ATTEMPT).info.run_id != first


def test_a_run_that_its_process_left_open_is_finished_because_its_result_is(
    finished: Path, section: TrackingSection, store: Any
) -> None:
    with Tracker(section, finished) as tracker, tracker.candidate(ATTEMPT, search=SEARCH):
        pass
    assert store.run(ATTEMPT).info.status == "SCHEDULED"
    record(section, finished)
    assert store.run(ATTEMPT).info.status == "FINISHED"
    assert len(store.curve(ATTEMPT, "train/loss")) == 2


def test_what_the_stages_recorded_is_only_completed(finished: Path, section: TrackingSection, store: Any) -> None:
    facts = read_json(finished / "run.json")
    opened = {"search": SEARCH, "params": facts["params"], "tags": record_tags(facts)}
    with Tracker(section, finished) as tracker, tracker.candidate(ATTEMPT, **opened) as run:
        run.metrics({"train/loss": 0.7, "valid/loss": 0.8, "lr": 0.1}, 1)
        run.metrics(evaluation_metrics(read_json(finished / "metrics.json")))
        run.finish("FINISHED")
    before = store.run(ATTEMPT)
    assert record(section, finished).refused == ()
    after = store.run(ATTEMPT)
    assert (after.info.run_id, after.info.end_time) == (before.info.run_id, before.info.end_time)
    assert store.curve(ATTEMPT, "train/loss") == [(1, 0.7), (2, 0.5)]
    assert store.curve(ATTEMPT, "test/roc_auc") == [(0, 0.8)]


@pytest.mark.parametrize("content", [None, "", "{}", "[1]", "{half"])
def test_without_a_result_there_is_nothing_to_record(
    root: Path, section: TrackingSection, store: Any, content: str | None
) -> None:
    if content is not None:
        (root / "run.json").write_text(content)
    assert record(section, root).outcome == "nothing"
    assert store.runs() == []


def test_a_tracker_that_is_down_does_not_fail_the_pipeline(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = TrackingSection(experiment="churn", model_name="churn", uri="http://user:s3cr3tpass@127.0.0.1:9")
    begun = time.perf_counter()
    outcome = record(section, finished)
    assert outcome.outcome == "offline"
    assert "s3cr3tpass" not in str(outcome) and "next dvc repro" in str(outcome)
    assert time.perf_counter() - begun < 10


def test_a_damaged_database_fails_with_one_line(finished: Path, section: TrackingSection) -> None:
    (finished / "mlflow.db").write_text("this is not a database, though it is long enough to be read as one" * 20)
    with pytest.raises(ServiceError, match=r"mlflow\.db: is not a usable SQLite database"):
        record(section, finished)


def test_a_copied_project_keeps_its_artifacts_with_it(
    finished: Path, section: TrackingSection, tmp_path_factory: pytest.TempPathFactory
) -> None:
    record(section, finished)
    copy = tmp_path_factory.mktemp("a copy") / "it's the café"
    shutil.copytree(finished, copy)
    write_json(copy / "metrics.json", read_json(copy / "metrics.json") | {"train": {}, "generalization_gap": {}})
    originals = _files(finished / "mlartifacts")
    _artifact_repos_cache.clear()  # by run id: in life, a copy is another process's
    record(section, copy)
    assert _files(finished / "mlartifacts") == originals
    changed = {path for path, content in _files(copy / "mlartifacts").items() if originals.get(path) != content}
    assert len(changed) == 1 and changed.pop().endswith("metrics.json")


def test_an_unchanged_workspace_costs_no_import_of_mlflow(finished: Path, section: TrackingSection) -> None:
    record(section, finished)
    code = (
        "import sys; from pathlib import Path; from goodfit.tracking import TrackingSection, record\n"
        "print(record(TrackingSection(experiment='churn', model_name='churn'), Path('.')))\n"
        "print([name for name in ('mlflow', 'torch', 'pandas', 'sqlalchemy', 'lightning') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=finished, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["[]"]
    assert "up to date" in done.stdout


def _current(store: Any) -> list[str]:
    return [run.data.tags["goodfit.attempt"] for run in store.runs("tags.`goodfit.current` = 'true'")]


def _content(store: Any) -> list[Any]:
    return [(run.info.run_id, run.info.status, run.info.end_time, run.data.to_dictionary()) for run in store.runs()]


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
