"""What a member of a population costs beside the same network alone, in one run.

Networks of two hidden layers (ReLU, AdamW, cosine schedule) on the same rows: the loop one would write by hand, with
a fused optimizer; Lightning's Trainer with a DataLoader; and `fit_population` with 1 to 64 members whose learning rates
differ. Repeats are interleaved; times are wall time of the whole call, divided by members and steps; ratios are medians
of the ratios within a repeat. "steps only" watches two rows after each epoch instead of a fourth of all, as the loop by
hand watches none. "regularized" has dropout, batch normalization, label smoothing, decay and clipping on, against the
same network alone in `fit_population`. The loops by hand and Lightning's have as many threads as there are cores, or
one, whichever is faster for them; a population computes each stack with one thread, and several stacks side by side.

    python benchmarks/population.py [--repeats 5]
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
from pathlib import Path
from typing import Any

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
from goodfit.training import Candidate, Recipe, TrainingData, TrainingSection, fit_population

ROWS, COLUMNS, EPOCHS = 4_200, 40, 3
SHAPES = ((64, 64), (128, 256))
SIZES = (1, 8, 16, 32, 64)
TARGETS = {"64/64": 3.5, "128/256": 1.7}
REGULARIZED = {
    "dropout": {"p": 0.2},
    "batch_norm": {"enabled": True},
    "label_smoothing": {"strength": 0.1},
    "weight_decay": {"strength": 0.01},
    "gradient_clip": {"norm": 1.0},
}
RESULT = Path(__file__).parent / "results" / "population.json"


def rows() -> tuple[Table, Table]:
    """Return made-up train and valid rows of Telco churn's size; only their shape matters here."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(ROWS + ROWS // 3, COLUMNS)), columns=[f"x{i}" for i in range(COLUMNS)])
    frame["y"] = np.where(frame["x0"] * frame["x1"] + random.normal(size=len(frame)) > 0, "yes", "no")
    schema = infer_schema(frame, SchemaSection(target="y"))
    return Table(frame[:ROWS].reset_index(drop=True), schema), Table(frame[ROWS:].reset_index(drop=True), schema)


def network(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))


def by_hand(numeric: torch.Tensor, target: torch.Tensor, width: int, batch: int, threads: int) -> None:
    """Train with the loop that one would write by hand."""
    torch.set_num_threads(threads)
    model = network(numeric.shape[1], width)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps(batch))
    for _ in range(EPOCHS):
        order = torch.randperm(ROWS)
        for start in range(0, ROWS, batch):
            chosen = order[start : start + batch]
            loss = functional.binary_cross_entropy_with_logits(model(numeric[chosen])[:, 0], target[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


class Plain(lightning.LightningModule):
    """The same network as Lightning's tutorials have it."""

    def __init__(self, inputs: int, width: int, batch: int) -> None:
        super().__init__()
        self.model = network(inputs, width)
        self.batch = batch

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        return functional.binary_cross_entropy_with_logits(self.model(batch[0])[:, 0], batch[1])

    def configure_optimizers(self) -> object:
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-3, weight_decay=0.0)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps(self.batch))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def by_lightning(numeric: torch.Tensor, target: torch.Tensor, width: int, batch: int, threads: int) -> None:
    """Train with Lightning and a DataLoader."""
    torch.set_num_threads(threads)
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = lightning.Trainer(max_epochs=EPOCHS, accelerator="cpu", devices=1, **quiet)
    trainer.fit(Plain(numeric.shape[1], width, batch), DataLoader(TensorDataset(numeric, target), batch, shuffle=True))


def population(data: TrainingData, members: int, width: int, batch: int, regularization: dict[str, Any]) -> None:
    """Train many at once."""
    model, settings = MODELS["mlp"].options(layers=2, width=width), RegularizationSection.model_validate(regularization)
    candidates = []
    for number in range(members):
        options = {"kind": "adamw", "lr": 1e-3 * (1 + number / members)}
        section = TrainingSection.model_validate({"epochs": EPOCHS, "batch_size": batch, "optimizer": options})
        candidates.append(Candidate(number, Recipe(model, settings, section, "binary", 2), number, data))
    for finished in fit_population(candidates, state=None):
        assert finished.state == "COMPLETE", finished.error


def steps(batch: int) -> int:
    return -(-ROWS // batch) * EPOCHS


def contestants(
    data: TrainingData, few: TrainingData, width: int, batch: int
) -> dict[str, tuple[int, Callable[[], None]]]:
    """Return what is timed, each with how many networks it trains."""
    rows_ = torch.from_numpy(data.train.numeric), torch.from_numpy(data.train_target).float(), width, batch
    cores = os.cpu_count() or 1
    found: dict[str, tuple[int, Callable[[], None]]] = {}
    for threads in sorted({1, cores}):
        found[f"by_hand_{threads}_threads"] = (1, lambda threads=threads: by_hand(*rows_, threads))
        found[f"lightning_{threads}_threads"] = (1, lambda threads=threads: by_lightning(*rows_, threads))
    for size in SIZES:
        found[f"population_{size}"] = (size, lambda size=size: population(data, size, width, batch, {}))
        found[f"steps_only_{size}"] = (size, lambda size=size: population(few, size, width, batch, {}))
    for size in (1, 16):
        found[f"regularized_{size}"] = (size, lambda size=size: population(few, size, width, batch, REGULARIZED))
    return found


def measured(repeats: int, width: int, batch: int) -> dict[str, list[float]]:
    """Return seconds per member and step of each contestant, one number per repeat."""
    data = TrainingData.of(*rows(), TrainingSection().preprocessing)
    part = type(data.valid)(data.valid.numeric[:2], data.valid.categorical[:2])
    few = TrainingData(data.preprocessor, data.train, data.train_target, part, data.valid_target[:2])
    timed = contestants(data, few, width, batch)
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for repeat in range(repeats + 1):
        for name, (members, train) in timed.items():
            started = time.perf_counter()
            train()
            if repeat:  # the first round warms up
                seconds[name].append((time.perf_counter() - started) / steps(batch) / members)
    return seconds


def summary(seconds: dict[str, list[float]]) -> dict[str, Any]:
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    hand, glue = (
        min((name for name in medians if name.startswith(start)), key=medians.__getitem__)
        for start in ("by_hand", "lightning")
    )

    def cheaper(than: str, name: str) -> float:
        return round(statistics.median(a / b for a, b in zip(seconds[than], seconds[name], strict=True)), 2)

    stacks = [name for name in medians if name.startswith(("population", "steps_only"))]
    return {
        "microseconds_per_member_step": {name: round(value * 1e6, 1) for name, value in medians.items()},
        f"times_cheaper_than_{hand}": {name: cheaper(hand, name) for name in stacks},
        f"times_cheaper_than_{glue}": {name: cheaper(glue, name) for name in stacks},
        "regularized_16_times_cheaper_than_regularized_1": cheaper("regularized_1", "regularized_16"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    load = os.getloadavg()[0]
    found = {f"{width}/{batch}": summary(measured(options.repeats, width, batch)) for width, batch in SHAPES}
    result = {
        "what": f"MLP 2 x width / batch, {ROWS} rows x {COLUMNS} columns, {EPOCHS} epochs per repeat",
        "shapes": found,
        "target": {"times cheaper than by hand, at 16 and 32": TARGETS},
        "repeats": options.repeats,
        "machine": {
            "cpus": os.cpu_count(),
            "load_before": round(load, 1),
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
