"""MLflow saves and loads a bundle as a pyfunc: raw rows in, a frame out."""

import importlib.util
from pathlib import Path

import mlflow
import pytest

from goodfit.bundle import _load_pyfunc, save_bundle

spec = importlib.util.spec_from_file_location("made_up_for_pyfunc", Path(__file__).with_name("conftest.py"))
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)
ROWS = made_up.frame()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.filterwarnings("ignore::FutureWarning:mlflow", "ignore::UserWarning:mlflow")
def test_mlflow_loads_what_it_saved_and_predicts_the_same_bits(tmp_path: Path, task: str) -> None:
    bundle = made_up.bundle_of(task)
    save_bundle(tmp_path / "candidate", bundle)
    mlflow.pyfunc.save_model(
        str(tmp_path / "model"),
        loader_module="goodfit.bundle",
        data_path=str(tmp_path / "candidate"),
        pip_requirements=["goodfit"],
    )
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    answer, expected = loaded.predict(ROWS), bundle.predict(ROWS)
    assert answer.index.equals(ROWS.index)
    if task == "regression":
        assert list(answer.columns) == ["prediction"]
        assert answer["prediction"].to_numpy().tobytes() == expected.tobytes()
        return
    classes = bundle.schema.classes
    assert list(answer.columns) == ["prediction", *(f"probability_{name}" for name in classes)]
    assert answer[f"probability_{classes[1]}"].tolist() == expected[:, 1].tolist()
    assert answer["prediction"].tolist() == [classes[code] for code in expected.argmax(axis=1)]


def test_the_threshold_decides_and_the_index_stays(tmp_path: Path) -> None:
    save_bundle(tmp_path, made_up.bundle_of(threshold=0.0))
    answer = _load_pyfunc(str(tmp_path)).predict(ROWS.iloc[5:9], params={})
    assert answer["prediction"].tolist() == ["yes"] * 4
    assert list(answer.index) == [5, 6, 7, 8]
