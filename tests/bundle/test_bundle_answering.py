"""What was fitted on valid rows stays with the bundle, and MLflow's model answers with it."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goodfit.bundle import PredictionInterval, ThresholdRule, _load_pyfunc, load_bundle, save_bundle
from goodfit.bundle.seal import write_sealed
from goodfit.errors import DataError
from goodfit.tracking.description import describe, has_interval

spec = importlib.util.spec_from_file_location("made_up_for_answering", Path(__file__).with_name("conftest.py"))
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)
ROWS = made_up.frame()
INTERVAL = PredictionInterval(0.9, (90.0, 110.0), (1.0, 2.0, 4.0))
RULE = ThresholdRule("recall", {"target": 0.8}, 0.81, True, 700)


def rewritten(folder: Path, change: Any) -> None:
    """Change bundle.json and seal it anew, as who writes bundles can."""
    record = json.loads((folder / "bundle.json").read_text())
    change(record)
    contents = {
        "bundle.json": json.dumps(record).encode(),
        "weights.safetensors": (folder / "weights.safetensors").read_bytes(),
    }
    write_sealed(folder, contents)


def test_rule_and_interval_come_back(tmp_path: Path) -> None:
    save_bundle(tmp_path / "a", made_up.bundle_of(rule=RULE, threshold=0.3, temperature=1.7))
    save_bundle(tmp_path / "b", made_up.bundle_of("regression", interval=INTERVAL))
    assert load_bundle(tmp_path / "a").rule == RULE
    assert load_bundle(tmp_path / "a").interval is None
    assert load_bundle(tmp_path / "b").interval == INTERVAL
    assert load_bundle(tmp_path / "b").rule is None


def test_a_bundle_from_before_there_were_rules_and_intervals_loads(tmp_path: Path) -> None:
    bundle = made_up.bundle_of(threshold=0.4)
    save_bundle(tmp_path, bundle)

    def older(record: dict[str, Any]) -> None:
        del record["rule"], record["interval"]

    rewritten(tmp_path, older)
    found = load_bundle(tmp_path)
    assert (found.rule, found.interval, found.threshold) == (None, None, 0.4)
    assert found.predict(ROWS).tobytes() == bundle.predict(ROWS).tobytes()
    assert not has_interval(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda interval: interval.update(edges=[110.0, 90.0]),
        lambda interval: interval.update(half_widths=[1.0]),
        lambda interval: interval.update(half_widths=[1.0, -2.0, 1.0]),
        lambda interval: interval.update(coverage=1.5),
        lambda interval: interval.update(unknown=1),
    ],
)
def test_an_interval_that_makes_no_sense_is_refused(tmp_path: Path, change: Any) -> None:
    save_bundle(tmp_path, made_up.bundle_of("regression", interval=INTERVAL))
    rewritten(tmp_path, lambda record: change(record["interval"]))
    with pytest.raises(DataError, match=r"bundle\.json"):
        load_bundle(tmp_path)


def test_the_pyfunc_answers_with_the_interval_of_each_row(tmp_path: Path) -> None:
    bundle = made_up.bundle_of("regression", interval=INTERVAL)
    save_bundle(tmp_path, bundle)
    answer = _load_pyfunc(str(tmp_path)).predict(ROWS)
    said = bundle.predict(ROWS)
    assert list(answer.columns) == ["prediction", "low", "high"]
    half = np.select([said < 90, said < 110], [1.0, 2.0], 4.0)
    assert answer["low"].to_numpy() == pytest.approx(said - half)
    assert answer["high"].to_numpy() == pytest.approx(said + half)
    assert len(set(half)) > 1
    outputs = describe(ROWS.head(2), (), interval=has_interval(tmp_path))["outputs"]
    assert outputs == [[name, "double"] for name in answer.columns]


def test_sure_rows_keep_their_order() -> None:
    """Single precision takes logits of 18 and 19 for the same probability, 1."""
    import torch

    logits = torch.tensor([[18.0], [19.0], [25.0]])
    assert len(set(made_up.bundle_of().answers_to(logits)[:, 1])) == 3
    assert len(set(torch.sigmoid(logits).flatten().tolist())) == 1
