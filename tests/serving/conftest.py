"""A project with a bundle whose answers mean nothing and are all different; what is tested here needs no training."""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from goodfit.bundle import Bundle, assembled, save_bundle
from goodfit.data import SchemaSection, Table, infer_schema
from goodfit.models import MODELS
from goodfit.preprocessing import PreprocessingSection, fit_preprocessor
from goodfit.regularizers import Regularization, RegularizationSection
from goodfit.serving.choosing import Chosen
from goodfit.tasks import task_named

NAME = "retraining_conftest_for_serving"
if NAME not in sys.modules:
    place = Path(__file__).parents[1] / "retraining/conftest.py"
    spec = importlib.util.spec_from_file_location(NAME, place)
    assert spec and spec.loader
    sys.modules[NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])
# A project whose registry holds two versions takes seconds to make: all tests here share it.
blank_database, two_versions, second = (
    getattr(sys.modules[NAME], name) for name in ("blank_database", "two_versions", "second")
)
SCHEMA: Mapping[str, Any] = {"target": "left", "id": ["number"]}
SUITE = """
expectations:
  - {expectation: expect_table_row_count_to_be_between, min_value: 1000}
  - {expectation: expect_column_values_to_be_unique, column: number}
  - {expectation: expect_column_values_to_not_be_null, column: left}
  - {expectation: expect_column_values_to_be_between, column: age, min_value: 0, max_value: 120}
  - {expectation: expect_column_values_to_be_in_set, column: plan, value_set: [a, b, "007", "7"], severity: warning}
"""
PARAMS = """
source: {kind: csv, path: input/rows.csv, missing: ["", "NA"], dates: {}}
schema: {target: left, id: [number]}
validate: {suite: suite.yaml}
tracking: {experiment: made-up, model_name: made-up}
"""


def rows(count: int = 400, seed: int = 0) -> pd.DataFrame:
    """Draw rows with every type of column, gaps, text that looks like numbers, and text that looks like formulas."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"number": np.arange(count), "age": random.integers(0, 100, count)})
    frame["income"] = np.where(random.random(count) < 0.1, np.nan, random.normal(1000, 300, count))
    frame["plan"] = random.choice(["a", "b", "007", "7"], count)
    frame["town"] = random.choice([f"town {i}" for i in range(30)] + ["=cmd()", 'say "x", y'], count)
    frame["member"] = random.random(count) < 0.5
    frame["since"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 10**6, count), unit="min")
    frame["left"] = np.where(random.random(count) < 0.4, "yes", "no")
    return frame


def bundle_of(frame: pd.DataFrame | None = None, weight_seed: int = 0, target: str = "left") -> Bundle:
    """Return a model with first weights."""
    frame = rows() if frame is None else frame
    table = Table(frame, infer_schema(frame, SchemaSection(**{**SCHEMA, "target": target})))
    preprocessor = fit_preprocessor(table, PreprocessingSection())
    options, section = MODELS["mlp"].options(), RegularizationSection.model_validate({})
    torch.manual_seed(weight_seed)
    outputs = task_named(table.schema.task).outputs(len(table.schema.classes))
    model = assembled(options, Regularization(section), preprocessor, outputs)
    torch.nn.init.normal_(model.head.weight)
    return Bundle(table.schema, preprocessor, options, section, model.eval())


@pytest.fixture
def chosen() -> Chosen:
    return Chosen("made-up", None, bundle_of())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a suite and a candidate."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = tmp_path / "project"
    root.mkdir()
    (root / "params.yaml").write_text(PARAMS)
    (root / "suite.yaml").write_text(SUITE)
    save_bundle(root / "models/candidate", bundle_of())
    monkeypatch.chdir(root)
    return root
