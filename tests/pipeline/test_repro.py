"""What `dvc repro` runs again, and that MLflow tells the same story as the files."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from goodfit.params import read_yaml


def ran(output: str) -> list[str]:
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]


def curve(project: Any, run: Run, name: str) -> list[float]:
    client = MlflowClient(f"sqlite:///{project.root}/mlflow.db")
    return [point.value for point in client.get_metric_history(run.info.run_id, name)]


def runs(project: Any, condition: str = "") -> list[Run]:
    client = MlflowClient(f"sqlite:///{project.root}/mlflow.db")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], condition))


def current(project: Any) -> Run:
    found = runs(project, "tags.`goodfit.current` = 'true'")
    assert len(found) == 1
    return found[0]


def test_the_run_and_the_files_agree(undisturbed: Any) -> None:
    record, metrics = undisturbed.json("run.json"), undisturbed.json("metrics.json")
    run = current(undisturbed)
    assert run.info.run_id == record["run_id"]
    assert run.info.status == "FINISHED"
    assert {r.info.status for r in runs(undisturbed)} == {"FINISHED"}
    for split in ("train", "valid", "test"):
        for name, estimate in metrics[split].items():
            assert run.data.metrics[f"{split}/{name}"] == pytest.approx(estimate["value"])
            assert estimate["low"] <= estimate["value"] <= estimate["high"]
    assert run.data.params["model.kind"] == "mlp"
    assert run.data.params["regularization.label_smoothing.strength"] == "0.0", "off values stand there too"
    assert set(metrics["generalization_gap"]) == set(metrics["test"])
    assert {"dummy", "linear"} <= set(metrics["baselines"])
    for path, md5 in record["inputs"].items():
        assert run.data.tags[f"dvc.{path}.md5"] == md5


def test_every_trial_is_a_child_with_all_its_settings(undisturbed: Any) -> None:
    parent = current(undisturbed)
    trials = runs(undisturbed, "tags.`goodfit.kind` = 'trial'")
    rows = [line.split(",") for line in (undisturbed.root / "reports/trials.csv").read_text().splitlines()[1:]]
    states = {run.data.tags["goodfit.trial"]: run.data.tags["goodfit.trial_state"] for run in trials}
    assert states == {row[0]: row[1] for row in rows}
    assert set(states.values()) == {"COMPLETE", "PRUNED"}
    for trial in trials:
        assert trial.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert len(curve(undisturbed, trial, "valid/loss")) == int(rows[int(trial.data.tags["goodfit.trial"])][3])
        regularization = {name for name in trial.data.params if name.startswith("regularization.")}
        assert regularization == {name for name in parent.data.params if name.startswith("regularization.")}
        assert {"train/loss", "valid/loss", "generalization_gap/loss"} <= set(trial.data.metrics)


def test_the_best_trial_is_what_was_trained(undisturbed: Any) -> None:
    best = read_yaml(undisturbed.root / "artifacts/best.yaml")
    params = current(undisturbed).data.params
    assert best
    for name, value in best.items():
        assert params[name] == str(value)


def test_the_logged_model_takes_raw_rows(undisturbed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow.pyfunc
    import pandas as pd

    uri = f"sqlite:///{undisturbed.root}/mlflow.db"
    client = MlflowClient(uri)
    models = client.search_logged_models([current(undisturbed).info.experiment_id])
    assert len(models) == 1
    loaded = mlflow.pyfunc.load_model(models[0].artifact_location)
    rows = pd.read_csv(undisturbed.root / "input/rows.csv").head(20)
    answer = loaded.predict(rows.drop(columns=["churn", "rownames"]))
    assert set(answer["prediction"]) <= {"Yes", "No"}
    assert answer["probability_No"].between(0, 1).all()


def test_a_second_run_runs_record_alone(project: Any) -> None:
    result = project.repro()
    assert result.returncode == 0, result.stdout
    assert ran(result.stdout) == ["record"]


def edited(project: Any, path: str, text: str) -> list[str]:
    """Add a text to a file; return what the next `dvc repro` runs."""
    file = project.root / path
    file.write_text(file.read_text() + text)
    result = project.repro()
    assert result.returncode == 0, result.stdout
    return ran(result.stdout)


def test_a_comment_in_the_parameters_runs_nothing(project: Any) -> None:
    assert edited(project, "params.yaml", "\n# a comment\n") == ["record"]


def test_an_edited_metric_evaluates_again_to_the_same_bits(project: Any, undisturbed: Any) -> None:
    assert edited(project, "src/goodfit/metrics/f1.py", "\n# edited\n") == ["evaluate", "record"]
    assert (project.root / "metrics.json").read_bytes() == (undisturbed.root / "metrics.json").read_bytes()
    assert project.json("reports/cost.json")["latency_row_median_ms"] > 0
    assert "latency" not in (project.root / "metrics.json").read_text(), "times differ from run to run"


def test_an_edited_model_leaves_the_data_stages_alone(project: Any) -> None:
    file = project.root / "src/goodfit/models/mlp.py"
    file.write_text(file.read_text() + "\n# edited\n")
    result = project.run(sys.executable, "-m", "dvc", "status")
    changed = [line.rstrip(":") for line in result.stdout.splitlines() if line and not line[0].isspace()]
    assert {"tune", "train", "evaluate"} <= set(changed)
    assert not {"ingest", "validate", "split"} & set(changed)


def test_a_lost_database_is_written_anew(project: Any) -> None:
    before = current(project)
    trials = len(runs(project, "tags.`goodfit.kind` = 'trial'"))
    for name in ("mlflow.db", "mlartifacts", ".goodfit/outbox"):
        path = project.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    result = project.repro()
    assert result.returncode == 0, result.stdout
    after = current(project)
    assert after.info.status == "FINISHED"
    assert after.data.params == before.data.params
    final = {name: value for name, value in before.data.metrics.items() if name.startswith("test/")}
    assert final
    assert {name: after.data.metrics[name] for name in final} == pytest.approx(final)
    assert len(runs(project, "tags.`goodfit.kind` = 'trial'")) == trials


def test_a_fresh_clone_with_pulled_outputs_records_the_run(project: Any, tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments], cwd=project.root, check=True)

    assert (
        project.run(sys.executable, "-m", "dvc", "remote", "add", "-d", "store", str(tmp_path / "store")).returncode
        == 0
    )
    assert project.run(sys.executable, "-m", "dvc", "push").returncode == 0
    git("add", "-A")
    git("commit", "-qm", "results")
    subprocess.run(["git", "clone", "-q", str(project.root), str(tmp_path / "clone")], check=True)
    clone = type(project)(tmp_path / "clone")
    assert clone.run(sys.executable, "-m", "dvc", "pull").returncode == 0
    result = clone.repro()
    assert result.returncode == 0, result.stdout
    assert ran(result.stdout) == ["record"]
    assert current(clone).data.metrics["test/log_loss"] == pytest.approx(current(project).data.metrics["test/log_loss"])
    assert clone.weights() == project.weights()


def test_the_plots_are_drawn(project: Any) -> None:
    result = project.run(sys.executable, "-m", "dvc", "plots", "show", "--out", "plots")
    assert result.returncode == 0, result.stdout
    page = (project.root / "plots/index.html").read_text()
    assert "valid/loss" in page
    assert "roc" in page
