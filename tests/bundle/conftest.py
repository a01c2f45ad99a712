"""Bundles over a small made-up table, with first weights: what is tested here needs no training."""

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
from goodfit.tasks import task_named

TARGETS = {"binary": "churn", "multiclass": "level", "regression": "price"}


def frame(rows: int = 200) -> pd.DataFrame:
    random = np.random.default_rng(0)
    table = pd.DataFrame({f"x{i}": random.normal(size=rows) for i in range(3)})
    table["colour"] = random.choice(["red", "green", "blue"], rows)
    table["town"] = random.choice([f"town {i}" for i in range(30)], rows)
    table["churn"] = np.where(table["x0"] > 0, "yes", "no")
    table["level"] = np.digitize(table["x0"], [-0.5, 1.0]).astype(str)
    table["price"] = 100 + 20 * table["x0"]
    return table


def bundle_of(task: str = "binary", kind: str = "mlp", regularization: Any = None, **settings: Any) -> Bundle:
    others = [name for name in TARGETS.values() if name != TARGETS[task]]
    table = Table(frame(), infer_schema(frame(), SchemaSection(target=TARGETS[task], ignore=others)))
    preprocessor = fit_preprocessor(table, PreprocessingSection())
    options, section = MODELS[kind].options(), RegularizationSection.model_validate(regularization or {})
    outputs = task_named(task).outputs(len(table.schema.classes))
    torch.manual_seed(0)
    model = assembled(options, Regularization(section), preprocessor, outputs)
    for name, parameter in model.named_parameters():
        if name.startswith("head") and parameter.ndim > 1:
            torch.nn.init.normal_(parameter)
    return Bundle(table.schema, preprocessor, options, section, model.eval(), **settings)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "candidate"
    save_bundle(folder, bundle_of())
    return folder
