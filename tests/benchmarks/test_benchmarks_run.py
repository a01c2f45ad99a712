"""Benchmarks still run after the code that they measure has changed; what they measure is not asked here."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from goodfit.training import usual_batch

pytestmark = pytest.mark.slow


def test_search_overhead(loaded: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = loaded("search_overhead")
    monkeypatch.setattr(module, "TRIALS", 120)
    monkeypatch.setattr(module, "RESULT", tmp_path / "result.json")
    module.main()
    found = json.loads((tmp_path / "result.json").read_text())
    assert found["trials"] == 120
    assert found["ms_per_trial_all_cpu"] > found["ms_per_trial_without_tracking_cpu"] > 0


def test_workers(loaded: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = loaded("workers")
    monkeypatch.setattr(module.MODELS, "_members", dict(module.MODELS._members))
    monkeypatch.setattr(module.crew, "cores", module.crew.cores)  # the benchmark sets it: put back afterwards
    monkeypatch.setattr(module, "RESULT", tmp_path / "result.json")
    monkeypatch.setattr(module, "ROWS", 300)
    monkeypatch.setattr(sys, "argv", ["workers.py", "--repeats", "1"])
    module.main()
    assert json.loads((tmp_path / "result.json").read_text())["times_faster"] > 0


def test_quality(loaded: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both of ours and a rival on a small table; what is kept is not measured again."""
    module = loaded("quality.__main__")
    contestants = "goodfit,cocktail,plain network"
    options = ["--tables", "breast_cancer", "--seeds", "1", "--budget", "10", "--contestants", contestants]
    monkeypatch.setattr(sys, "argv", ["quality", *options, "--kept", str(tmp_path / "kept")])
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    module.main()
    found = json.loads((tmp_path / "quality.json").read_text())
    figures = found["tables"]["breast_cancer"]["contestants"]
    assert sorted(one["rank"] for one in figures.values()) == [1, 2, 3]
    assert all(0 < one["loss"] < math.inf for one in figures.values())  # how good so short a search is, is not asked
    low, high = figures["plain network"]["worse_than_goodfit_by"]
    assert low <= high
    monkeypatch.setattr(module, "measured", None)
    module.main()
    assert json.loads((tmp_path / "quality.json").read_text())["tables"] == found["tables"]


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize("rival", ["plain_network", "tuned_network", "boosted"])
def test_rivals_beat_a_constant(loaded: Any, rival: str, values: bool) -> None:
    rivals = loaded("quality.rivals")
    random = np.random.default_rng(0)

    def rows(count: int) -> tuple[pd.DataFrame, np.ndarray]:
        frame = pd.DataFrame({"x": random.normal(size=count), "gap": random.normal(size=count)})
        frame["colour"] = pd.Categorical(random.choice(["red", "green"], count))
        score = frame["x"] + (frame["colour"] == "red") - 0.5 + 0.1 * random.normal(size=count)
        frame.loc[::7, "gap"] = np.nan
        return frame, (score.to_numpy() if values else (score > 0).to_numpy(np.int64))

    parts = {split: rows(400) for split in ("train", "valid", "test")}
    model = getattr(rivals, rival)(parts, 2.0, 1)
    valid, test = model("valid"), model("test")
    target = parts["test"][1]
    constant = np.zeros(400) if values else np.full((400, 2), 0.5)
    assert valid.shape == test.shape == constant.shape
    assert rivals.loss_of(test, target) < 0.5 * rivals.loss_of(constant, target)


@pytest.mark.parametrize(("budget", "epochs"), [(0.0, 1), (600.0, 100)])
def test_a_network_ends_with_its_time(loaded: Any, monkeypatch: pytest.MonkeyPatch, budget: float, epochs: int) -> None:
    rivals = loaded("quality.rivals")
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=512), "colour": pd.Categorical(random.choice(["a", "b"], 512))})
    steps: list[int] = []
    step = torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self: steps.append(step(self) is None))
    rivals.plain_network(dict.fromkeys(("train", "valid", "test"), (frame, frame["x"].to_numpy())), budget, 1)
    assert len(steps) == 512 // usual_batch(512) * epochs
