"""What a training step costs: a hand-written PyTorch loop, goodfit's fit, and Lightning with a DataLoader, in one run.

All three train the same network (two hidden layers of 128, ReLU) on the same rows with AdamW, a cosine schedule and one
thread count. The hand-written loop is the usual one: shuffle, slice, forward, loss, backward, step. Repeats are
interleaved, so that a busy machine slows all alike; the figures are medians, and ratios are medians of the ratios
within a repeat. "start_up" is a whole fit of one step: what a search pays per trial beside the steps.
goodfit's time is the whole call of `fit` (Trainer start-up, shuffling, watching train and valid rows after each epoch),
divided by the number of steps; "steps only" leaves out the watching, which the other two do not do.

    python benchmarks/training_step.py [--repeats 7] [--threads 1]
"""

import argparse
import json
import logging
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as lightning
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from goodfit.data import SchemaSection, Table, infer_schema
from goodfit.models import MODELS
from goodfit.regularizers import RegularizationSection
from goodfit.training import Recipe, TrainingData, TrainingSection, fit

ROWS, COLUMNS, BATCH, WIDTH, EPOCHS = 16_384, 32, 256, 128, 5
STEPS = ROWS // BATCH * EPOCHS
RESULT = Path(__file__).parent / "results" / "training_step.json"


def rows() -> tuple[Table, Table]:
    """Return made-up train and valid rows; only their shape matters here."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(ROWS + ROWS // 8, COLUMNS)), columns=[f"x{i}" for i in range(COLUMNS)])
    frame["y"] = np.where(frame["x0"] * frame["x1"] + random.normal(size=len(frame)) > 0, "yes", "no")
    schema = infer_schema(frame, SchemaSection(target="y"))
    return Table(frame[:ROWS].reset_index(drop=True), schema), Table(frame[ROWS:].reset_index(drop=True), schema)


def network(width: int) -> nn.Sequential:
    """Return the network of all three rows."""
    return nn.Sequential(nn.Linear(width, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))


def by_hand(numeric: torch.Tensor, target: torch.Tensor) -> None:
    """Train with the loop that one would write by hand."""
    model = network(numeric.shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(EPOCHS):
        order = torch.randperm(ROWS)
        for start in range(0, ROWS, BATCH):
            chosen = order[start : start + BATCH]
            loss = functional.binary_cross_entropy_with_logits(model(numeric[chosen])[:, 0], target[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


class Plain(lightning.LightningModule):
    """The same network as Lightning's tutorials have it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.model = network(width)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        return functional.binary_cross_entropy_with_logits(self.model(batch[0])[:, 0], batch[1])

    def configure_optimizers(self) -> object:
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-3, weight_decay=0.0)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def by_lightning(numeric: torch.Tensor, target: torch.Tensor) -> None:
    """Train with Lightning and a DataLoader."""
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = lightning.Trainer(max_epochs=EPOCHS, accelerator="cpu", devices=1, **quiet)
    trainer.fit(Plain(numeric.shape[1]), DataLoader(TensorDataset(numeric, target), BATCH, shuffle=True))


def recipe(threads: int) -> Recipe:
    """Return the same training as a recipe."""
    model = MODELS["mlp"].options(layers=2, width=WIDTH)
    section = TrainingSection(epochs=EPOCHS, batch_size=BATCH, threads=threads)
    return Recipe(model, RegularizationSection(), section, "binary", 2)


def measured(repeats: int, threads: int) -> dict[str, list[float]]:
    """Return seconds per step of each row, one number per repeat."""
    data = TrainingData.of(*rows(), TrainingSection().preprocessing)
    numeric = torch.from_numpy(data.train.numeric)
    target = torch.from_numpy(data.train_target).float()
    chosen = recipe(threads)
    # Two rows to watch instead of 2,048: what is left of the difference to the whole fit is the watching.
    few = TrainingData(data.preprocessor, data.train, data.train_target, *_first(data, 2))
    fewest = TrainingData(data.preprocessor, *_first(data, BATCH), *_first(data, 2))
    one_step = chosen.training.model_copy(update={"epochs": 1})
    tiny = replace(chosen, training=one_step)
    contestants: dict[str, Callable[[], object]] = {
        "hand_written": lambda: by_hand(numeric, target),
        "goodfit": lambda: fit(chosen, data, seed=1, state=None, progress=False),
        "goodfit_steps_only": lambda: fit(chosen, few, seed=1, state=None, progress=False),
        "lightning_dataloader": lambda: by_lightning(numeric, target),
        "start_up": lambda: fit(tiny, fewest, seed=1, state=None, progress=False),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for repeat in range(repeats + 1):
        for name, train in contestants.items():
            started = time.perf_counter()
            train()
            if repeat:  # the first round warms up
                seconds[name].append((time.perf_counter() - started) / STEPS)
    return seconds


def _first(data: TrainingData, count: int) -> tuple[object, np.ndarray]:
    part = type(data.valid)(data.valid.numeric[:count], data.valid.categorical[:count])
    return part, data.valid_target[:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    seconds = measured(options.repeats, options.threads)
    start_up = statistics.median(seconds.pop("start_up")) * STEPS
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    by_hand_seconds = seconds["hand_written"]
    ratios = {
        name: statistics.median(value / base for value, base in zip(values, by_hand_seconds, strict=True))
        for name, values in seconds.items()
    }
    result = {
        "what": f"MLP 2x{WIDTH}, batch {BATCH}, {ROWS} rows x {COLUMNS} columns, {STEPS} steps per repeat",
        "microseconds_per_step": {name: round(value * 1e6, 1) for name, value in medians.items()},
        "ratio_to_hand_written": {name: round(ratio, 3) for name, ratio in ratios.items()},
        "start_up_milliseconds": round(start_up * 1e3, 1),
        "target": {"goodfit": 1.3, "start_up_milliseconds": 150},
        "repeats": options.repeats,
        "machine": {
            "cpus": os.cpu_count(),
            "threads": options.threads,
            "processor": platform.machine(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "lightning": lightning.__version__,
        },
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
