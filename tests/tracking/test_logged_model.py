"""The bundle as an MLflow model: raw rows in, predictions out, and no code in between but the installed package's."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
import pytest

from goodfit.bundle import Bundle, load_bundle, save_bundle
from goodfit.data import Column, Schema, Table
from goodfit.errors import DataError
from goodfit.files import digest_of_path
from goodfit.tracking import Tracker, TrackingSection, fetch_model
from goodfit.tracking.model import column_type
from goodfit.training import FitSections, TrainingData, fit


@pytest.fixture(scope="module")
def table() -> Table:
    """Forty rows with numbers, gaps, text and dates."""
    frame = pd.DataFrame(
        {
            "age": range(40),
            "plan": ["a", "b"] * 20,
            "paid": [1.5, None] * 20,
            "since": pd.date_range("2026-01-01", periods=40),
            "churn": ["no", "yes", "no", "no"] * 10,
        }
    )
    types = {"age": "numeric", "plan": "categorical", "paid": "numeric", "since": "datetime", "churn": "categorical"}
    roles = {"churn": "target"}
    columns = tuple(Column(name, types[name], roles.get(name, "feature")) for name in types)  # type: ignore[arg-type]
    return Table(frame, Schema(columns, "binary", ("no", "yes")))


@pytest.fixture(scope="module")
def bundle(table: Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a small model that was trained on the table."""
    tree = {"seed": 1, "model": {"kind": "linear"}, "training": {"epochs": 1, "batch_size": 8}}
    sections = FitSections.model_validate(tree)
    data = TrainingData.of(table, table, sections.training.preprocessing)
    recipe = sections.recipe(table.schema)
    fitted = fit(recipe, data, seed=1, state=None, progress=False)
    folder = tmp_path_factory.mktemp("model") / "candidate"
    save_bundle(folder, Bundle(table.schema, data.preprocessor, sections.model, sections.regularization, fitted.model))
    return folder


@pytest.fixture
def logged(root: Path, section: TrackingSection, store: Any, table: Table, bundle: Path) -> Callable[[], list[Any]]:
    """Logs the model as a training does and returns the models of the store."""
    features = [column.name for column in table.schema.features]

    def log() -> list[Any]:
        with Tracker(section, root) as tracker, tracker.candidate("train") as run:
            run.model(bundle, table.frame[features].head(5), table.schema.classes)
            assert tracker.flush(60)
        return list(store.client.search_logged_models([store.run("train").info.experiment_id]))

    return log


def test_the_logged_model_predicts_what_the_bundle_predicts(
    logged: Callable[[], list[Any]], table: Table, bundle: Path
) -> None:
    (model,) = logged()
    rows = table.frame.drop(columns="churn")
    scores = mlflow.pyfunc.load_model(model.artifact_location).predict(rows)
    assert list(scores.columns) == ["prediction", "probability_no", "probability_yes"]
    assert (scores[["probability_no", "probability_yes"]].to_numpy() == load_bundle(bundle).predict(rows)).all()
    assert set(scores["prediction"]) <= {"no", "yes"}


def test_signature_and_example_are_logged_and_the_example_can_be_scored(logged: Callable[[], list[Any]]) -> None:
    (model,) = logged()
    loaded = mlflow.pyfunc.load_model(model.artifact_location)
    types = {column.name: str(column.type) for column in loaded.metadata.signature.inputs}
    assert types == {
        "age": "DataType.long",
        "plan": "DataType.string",
        "paid": "DataType.double",
        "since": "DataType.datetime",
    }
    assert [column.name for column in loaded.metadata.signature.outputs] == [
        "prediction",
        "probability_no",
        "probability_yes",
    ]
    example = loaded.input_example
    assert len(loaded.predict(example)) == len(example) == 5
    assert list(example.columns) == list(types)


def test_the_logged_model_holds_no_code_no_pickle_and_no_lock_file(
    logged: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\n')
    (tmp_path / "uv.lock").write_text("version = 1\n# index https://user:c4narypass@host\n")
    monkeypatch.chdir(tmp_path)
    (model,) = logged()
    folder = Path(model.artifact_location)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    plain = {"MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt", "input_example.json"}
    assert {name for name in files if not name.startswith("data/")} == plain | {"serving_input_example.json"}
    assert {Path(name).suffix for name in files if name.startswith("data/")} == {".json", ".safetensors"}
    described = (folder / "MLmodel").read_text()
    assert "loader_module: goodfit.bundle" in described and "code: null" in described
    assert json.loads((folder / "serving_input_example.json").read_text())["dataframe_split"]["columns"][0] == "age"
    assert "goodfit==" in (folder / "requirements.txt").read_text()


def test_the_same_bundle_is_logged_once(logged: Callable[[], list[Any]], store: Any) -> None:
    assert logged() and len(logged()) == 1
    outputs = store.client.get_run(store.run("train").info.run_id).outputs.model_outputs
    assert len(outputs) == 1


def test_mlflow_would_log_the_lock_file_and_with_it_what_it_holds(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\n')
    (tmp_path / "uv.lock").write_text("version = 1\n# index https://user:c4narypass@host\n")
    for name in ("MLFLOW_LOG_UV_FILES", "MLFLOW_UV_AUTO_DETECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    mlflow.pyfunc.save_model("model", loader_module="goodfit.bundle", data_path=str(bundle), pip_requirements=["x"])
    assert "c4narypass" in (tmp_path / "model/uv.lock").read_text()


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        ("int64", "long"),
        ("Int8", "long"),
        ("UInt32", "long"),
        ("float32", "double"),
        ("Float64", "double"),
        ("bool", "boolean"),
        ("boolean", "boolean"),
        ("datetime64[us]", "datetime"),
        ("str", "string"),
        ("object", "string"),
        ("category", "string"),
    ],
)
def test_each_pandas_type_has_its_mlflow_type(dtype: str, kind: str) -> None:
    assert column_type(dtype) == kind


def test_a_logged_model_is_fetched_to_the_bit_and_one_that_was_blown_up_is_not(
    root: Path, section: TrackingSection, bundle: Path, table: Table, tmp_path: Path
) -> None:
    with Tracker(section, root) as tracker:
        run = tracker.candidate("a" * 64)
        run.model(bundle, table.frame.drop(columns="churn").head(2), ("no", "yes"))
        assert tracker.flush(60) and run.id
        run.finish("FINISHED")
    fetched = fetch_model(section, root, run.id, tmp_path / "here")
    assert digest_of_path(fetched.bundle) == digest_of_path(bundle)
    (stored,) = (root / "mlartifacts").rglob("weights.safetensors")
    os.truncate(stored, 10 << 30)
    with pytest.raises(DataError, match=f"run {run.id}: has 10,.* bytes in its files, and may have at most"):
        fetch_model(section, root, run.id, tmp_path / "there")
