"""Made-up problems, and a model that knows how they were made: what a right evaluation must say is known too."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.data import Column, Schema, Table
from goodfit.preprocessing import PreprocessingSection, fit_preprocessor

CLASSES = {"binary": ("No", "Yes"), "multiclass": ("ant", "bee", "cat"), "regression": ()}


class Oracle:
    """Knows how the rows were made, and answers with noise of the given size."""

    threshold, rule, parts, trained_on = 0.5, None, (), ("train",)

    def __init__(self, schema: Schema, noise: float = 0.0, train: Table | None = None) -> None:
        self.schema, self.noise = schema, noise
        if train:
            self.preprocessor = fit_preprocessor(train, PreprocessingSection())

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        signal = frame["truth"].to_numpy(float)
        signal = signal + np.random.default_rng(len(frame)).normal(0, self.noise, len(frame))
        if self.schema.task == "regression":
            return signal
        logits = np.stack([np.zeros_like(signal), signal, 2 * signal - 1], axis=1)[:, : len(self.schema.classes)]
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


@dataclass
class World:
    """A made-up problem: its splits, its schema, and a model that knows it."""

    parts: Any
    schema: Schema
    oracle: Oracle


def draw(schema: Schema, rows: int, seed: int) -> Table:
    """Draw rows: a curve in x0 that a linear model cannot follow, a slope in x1, a step by colour."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x0": rng.normal(size=rows), "x1": rng.normal(size=rows)})
    frame["colour"] = rng.choice(["red", "green", "blue"], rows)
    frame["clan"] = rng.integers(0, max(2, rows // 20), rows)
    frame["truth"] = 1.5 * (frame["x0"] ** 2 - 1) + frame["x1"] + (frame["colour"] == "red")
    oracle = Oracle(schema).predict(frame)
    if schema.task == "regression":
        frame["y"] = oracle + rng.normal(size=rows)
    else:
        codes = (rng.random(rows)[:, None] > oracle.cumsum(axis=1)).sum(axis=1)
        frame["y"] = np.array(schema.classes, dtype=object)[codes.clip(max=len(schema.classes) - 1)]
    return Table(frame, schema)


def schema_of(task: str, *, grouped: bool = False) -> Schema:
    """Return the schema of the made-up problem."""
    columns = [Column("x0", "numeric", "feature"), Column("x1", "numeric", "feature")]
    columns += [Column("colour", "categorical", "feature"), Column("clan", "numeric", "group" if grouped else "ignore")]
    kind = "numeric" if task == "regression" else "categorical"
    columns += [Column("truth", "numeric", "ignore"), Column("y", kind, "target")]
    return Schema(tuple(columns), task, CLASSES[task])  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def world() -> Callable[..., World]:
    """Return a maker of made-up problems, by task."""

    def make(
        task: str, rows: tuple[int, int, int] = (600, 300, 400), *, noise: float = 0.0, grouped: bool = False
    ) -> World:
        schema = schema_of(task, grouped=grouped)
        tables = [draw(schema, count, seed) for seed, count in enumerate(rows)]
        parts = SimpleNamespace(train=tables[0], valid=tables[1], test=tables[2])
        return World(parts, schema, Oracle(schema, noise, tables[0]))

    return make
