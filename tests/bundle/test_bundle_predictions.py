"""A bundle predicts the same before and after the disk, from raw rows."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from goodfit.bundle import Bundle, load_bundle, save_bundle
from goodfit.errors import DataError
from goodfit.models import MODELS
from goodfit.models.initialization import gain

spec = importlib.util.spec_from_file_location("made_up_bundles", Path(__file__).with_name("conftest.py"))
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)
ROWS = made_up.frame()
CASES = [(task, kind) for task in ("binary", "multiclass", "regression") for kind in sorted(MODELS)]


@pytest.mark.parametrize(("task", "kind"), CASES)
def test_predictions_are_bit_equal_after_saving_and_loading(tmp_path: Path, task: str, kind: str) -> None:
    bundle = made_up.bundle_of(task, kind)
    save_bundle(tmp_path, bundle)
    gain.cache_clear()  # as in a fresh process
    loaded = load_bundle(tmp_path)
    before, after = bundle.predict(ROWS), loaded.predict(ROWS)
    assert before.dtype == after.dtype == np.float64
    assert before.tobytes() == after.tobytes()
    assert before.std() > 0
    assert (loaded.schema, loaded.task, loaded.model_options) == (bundle.schema, task, bundle.model_options)
    assert not loaded.model.training


def test_layers_of_regularizers_come_back(tmp_path: Path) -> None:
    bundle = made_up.bundle_of(regularization={"batch_norm": {"enabled": True}, "dropout": {"p": 0.5}})
    with torch.no_grad():
        for buffer in bundle.model.buffers():
            if buffer.is_floating_point() and buffer.ndim:
                buffer += 0.5
    save_bundle(tmp_path, bundle)
    assert load_bundle(tmp_path).predict(ROWS).tobytes() == bundle.predict(ROWS).tobytes()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_shapes_and_units(task: str) -> None:
    bundle = made_up.bundle_of(task)
    predictions = bundle.predict(ROWS)
    if task == "regression":
        torch.nn.init.zeros_(bundle.model.head.weight)
        np.testing.assert_allclose(bundle.predict(ROWS), np.full(200, ROWS["price"].mean()), rtol=1e-6)
    else:
        assert predictions.shape == (200, 2 if task == "binary" else 3)
        np.testing.assert_allclose(predictions.sum(axis=1), 1, rtol=1e-6)


def test_a_row_alone_and_among_others_agree_within_rounding() -> None:
    bundle = made_up.bundle_of()
    together = bundle.predict(ROWS)
    alone = np.concatenate([bundle.predict(ROWS.iloc[[row]]) for row in range(20)])
    np.testing.assert_allclose(alone, together[:20], rtol=1e-5, atol=1e-6)


def test_many_rows_are_predicted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made_up.bundle_of().predict(ROWS)
    monkeypatch.setattr("goodfit.bundle.bundle.ROWS_AT_ONCE", 64)
    np.testing.assert_allclose(made_up.bundle_of().predict(ROWS), whole, rtol=1e-5, atol=1e-6)


def test_column_order_extra_columns_and_index_change_nothing() -> None:
    bundle = made_up.bundle_of()
    other = ROWS[sorted(ROWS.columns, reverse=True)].drop(columns="churn").assign(new=1)
    other.index = pd.Index(range(500, 700))
    assert bundle.predict(other).tobytes() == bundle.predict(ROWS).tobytes()


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="colour"):
        made_up.bundle_of().predict(ROWS.drop(columns="colour"))


def test_equal_bundles_give_equal_bytes(tmp_path: Path) -> None:
    def content(name: str, bundle: Bundle) -> dict[str, bytes]:
        save_bundle(tmp_path / name, bundle)
        return {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}

    first = content("one", made_up.bundle_of())
    assert first == content("two", made_up.bundle_of())
    assert first == content("three", load_bundle(tmp_path / "one"))
    assert sorted(first) == ["bundle.json", "manifest.json", "weights.safetensors"]
    assert first != content("four", made_up.bundle_of(temperature=2.0))


def test_saving_again_replaces_the_whole_folder(saved: Path) -> None:
    (saved / "old.txt").write_text("left over")
    save_bundle(saved, made_up.bundle_of(threshold=0.3))
    assert load_bundle(saved).threshold == 0.3


def test_weights_that_are_not_finite_are_not_written(saved: Path) -> None:
    bundle = made_up.bundle_of()
    bundle.model.head.weight.data[0, 0] = float("nan")
    with pytest.raises(DataError, match=r"'head\.weight' holds NaN"):
        save_bundle(saved, bundle)
    load_bundle(saved)


def test_temperature_softens_and_threshold_decides() -> None:
    bundle = made_up.bundle_of()
    sharp, soft = bundle.predict(ROWS), replace(bundle, temperature=10.0).predict(ROWS)
    assert np.abs(soft - 0.5).mean() < np.abs(sharp - 0.5).mean()
    assert bundle.decide(sharp).tolist() == (sharp[:, 1] >= 0.5).astype(int).tolist()
    assert replace(bundle, threshold=0.0).decide(sharp).all()
    assert made_up.bundle_of("multiclass").decide(np.array([[0.2, 0.5, 0.3]])).tolist() == [1]


def test_loading_draws_no_random_numbers(saved: Path) -> None:
    torch.manual_seed(1)
    load_bundle(saved)
    first = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), first)
