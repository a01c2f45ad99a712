"""Networks that do not stack, trained side by side: one worker against as many as there are cores.

A convolutional network over the columns of a row (two layers of 32 channels), of which eight are trained for two
epochs. Each is computed by one thread of PyTorch; workers are forked processes. The two sides alternate; the ratio is
the median of the ratios of the repeats.

    python benchmarks/workers.py [--repeats 5]
"""

import argparse
import json
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from goodfit.data import SchemaSection, Table, infer_schema
from goodfit.models import MODELS, Inputs, Model
from goodfit.training import Candidate, FitSections, TrainingData, fit_population
from goodfit.training.population import crew

ROWS, COLUMNS, MEMBERS, EPOCHS = 4000, 64, 8, 2
RESULT = Path(__file__).parent / "results/workers.json"
TARGET = 1.7


class Convolutional(Model):
    """A network over the columns of a row."""

    def __init__(self, inputs: Inputs, outputs: int, blocks: Any) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(1, 32, 5, padding=2), nn.ReLU(), nn.Conv1d(32, 32, 5, padding=2), nn.ReLU(), nn.AvgPool1d(4)
        )
        self.head = nn.Linear(32 * (inputs.numeric // 4), outputs)

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map [n, numeric] to [n, outputs]."""
        logits: Tensor = self.head(self.body(numeric[:, None]).flatten(1))
        return logits


def made() -> list[Candidate]:
    """Return networks to train, on a table of noise."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(ROWS + 500, COLUMNS)), columns=[f"x{i}" for i in range(COLUMNS)])
    frame["y"] = np.where(frame["x0"] + frame["x1"] > 0, "yes", "no")
    schema = infer_schema(frame, SchemaSection(target="y"))
    tree = {"seed": 1, "model": {"kind": "linear"}, "training": {"epochs": EPOCHS, "batch_size": 128}}
    sections = FitSections.model_validate(tree)
    parts = (Table(part.reset_index(drop=True), schema) for part in (frame[:ROWS], frame[ROWS:]))
    data = TrainingData.of(*parts, sections.training.preprocessing)
    recipe = replace(sections.recipe(schema), model=MODELS["convolutional"].options())
    return [Candidate(number, recipe, number, data) for number in range(MEMBERS)]


def seconds(candidates: list[Candidate], workers: int) -> float:
    """Train all of them; return the wall time."""
    crew.cores = lambda: workers  # type: ignore[assignment]
    began = time.perf_counter()
    states = [finished.state for finished in fit_population(candidates, state=None)]
    assert states == ["COMPLETE"] * MEMBERS
    return time.perf_counter() - began


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    MODELS.register("convolutional", vectorizes=False, hidden_layers=False)(Convolutional)
    candidates, cores = made(), len(os.sched_getaffinity(0))
    seconds(candidates[:], 1)
    load = os.getloadavg()[0]
    pairs = [(seconds(candidates, 1), seconds(candidates, cores)) for _ in range(repeats)]
    found = {
        "cores": cores,
        "times_faster": round(statistics.median(one / many for one, many in pairs), 2),
        "target_on_2_cores": TARGET,
        "seconds": [[round(value, 2) for value in pair] for pair in pairs],
        "load_before": round(load, 2),
    }
    print(json.dumps(found, indent=2))
    RESULT.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
