"""A made-up table, and a model that was chosen for it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.data import SchemaSection, Table, infer_schema
from goodfit.params import dotted
from goodfit.studies import Chosen, chosen_model
from goodfit.training import FitSections


def frame(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(3)
    table = pd.DataFrame({f"x{i}": random.normal(size=rows) for i in range(4)})
    score = table["x0"] + table["x1"] + random.normal(size=rows)
    table["churn"] = np.where(score > 0, "yes", "no")
    table["price"] = 100 + 20 * score
    return table


def made(target: str = "churn", rows: int = 160, **settings: Any) -> Chosen:
    other = "price" if target == "churn" else "churn"
    whole = frame(2 * rows)
    schema = infer_schema(whole, SchemaSection(target=target, ignore=[other]))
    base: dict[str, Any] = {"seed": 1, "model": {"kind": "mlp", "layers": 1, "width": 32}}
    training = {"epochs": 5, "batch_size": 32, "optimizer": {"kind": "adamw", "lr": 0.01}}
    sections = FitSections.model_validate(base | {"training": training | settings.pop("training", {})} | settings)
    parts = whole[:rows].reset_index(drop=True), whole[rows:].reset_index(drop=True)
    record = {"attempt": "0" * 64, "params": dotted(sections) | {"calibration.bins": 10, "train.refit": False}}
    return chosen_model(record, *(Table(part, schema) for part in parts))


@pytest.fixture(scope="session")
def make() -> Callable[..., Chosen]:
    return made
