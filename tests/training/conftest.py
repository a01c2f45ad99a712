"""Small made-up tables, and children that start in a moment because their imports are done."""

import multiprocessing
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from torch import Tensor

from goodfit.data import Schema, SchemaSection, Table, infer_schema
from goodfit.training import Recipe, TrainingData
from goodfit.training.population.stack import Stack
from goodfit.training.settings import FitSections

SETTINGS: dict[str, Any] = {
    "seed": 1,
    "model": {"kind": "mlp", "layers": 2, "width": 16},
    "regularization": {"dropout": {"p": 0.2}, "batch_norm": {"enabled": True}, "weight_decay": {"strength": 0.01}},
    "training": {"epochs": 4, "batch_size": 32, "optimizer": {"kind": "adamw", "lr": 0.01}},
}


def frame(rows: int, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    table = pd.DataFrame({f"x{i}": random.normal(size=rows) for i in range(4)})
    table["colour"] = random.choice(["red", "green", "blue"], rows)
    score = table["x0"] + table["x1"] * table["x2"] + (table["colour"] == "red") + 0.5 * random.normal(size=rows)
    table["churn"] = np.where(score > 0, "yes", "no")
    table["level"] = np.digitize(score, [-0.5, 1.0]).astype(str)
    table["price"] = 100 + 20 * score
    return table


def tables(target: str = "churn", rows: int = 300) -> tuple[Table, Table]:
    """Return train and valid tables; `target` is churn (binary), level (3 classes) or price (regression)."""
    others = [name for name in ("churn", "level", "price") if name != target]
    whole = frame(rows + rows // 3)
    schema = infer_schema(whole, SchemaSection(target=target, ignore=others))
    return Table(whole[:rows].reset_index(drop=True), schema), Table(whole[rows:].reset_index(drop=True), schema)


def made(target: str = "churn", rows: int = 300, **changes: Any) -> tuple[Recipe, TrainingData]:
    """Return a recipe and its data; `changes` replace whole sections of SETTINGS, or update `training`.

    What acts at the ends of cycles gets a schedule that has some, unless `changes` name one.
    """
    settings = SETTINGS | changes
    snapshots = settings["regularization"].get("snapshot_ensemble", {}).get("enabled")
    cyclic = {"schedule": {"kind": "cosine_restarts"}} if snapshots else {}
    settings["training"] = SETTINGS["training"] | cyclic | changes.get("training", {})
    sections = FitSections.model_validate(settings)
    train, valid = tables(target, rows)
    return sections.recipe(train.schema), TrainingData.of(train, valid, sections.training.preprocessing)


@pytest.fixture
def stepped(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """The weights of the first member of a stack after each step that a test lets it take."""
    seen: list[Tensor] = []
    step = Stack.step

    def noted(self: Stack, *arguments: Any) -> None:
        step(self, *arguments)
        seen.append(self.weights[0].clone())

    monkeypatch.setattr(Stack, "step", noted)
    return seen


@pytest.fixture(scope="session")
def make() -> Callable[..., tuple[Recipe, TrainingData]]:
    return made


@pytest.fixture(scope="session")
def both() -> tuple[Table, Table]:
    """The train and the valid table behind `make`, with its default target."""
    return tables()


@pytest.fixture(scope="session")
def churn() -> tuple[Recipe, TrainingData]:
    return made()


@pytest.fixture(scope="session")
def child() -> Callable[..., Any]:
    """Start a script of this folder in a process of its own, forked from one that has imported torch and Lightning."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["goodfit.training.trainer", "goodfit.training.settings"])

    def start(script: str, **variables: Any) -> Any:
        path = str(Path(__file__).parent / script)
        process = context.Process(target=runpy.run_path, args=(path, variables, "__main__"))
        process.start()
        return process

    return start


@pytest.fixture(scope="session")
def schema() -> Schema:
    """Of the table behind `make`, with its default target."""
    return tables()[0].schema
