"""Train a population in a process that a test may kill. Variables: state, result, failpoint, share, cores."""

import importlib.util
import os
from pathlib import Path

import torch

from goodfit.training import Candidate, fit_population
from goodfit.training.population import crew, keeper

spec = importlib.util.spec_from_file_location("made_up", Path(__file__).with_name("conftest.py"))
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)

variables = {"failpoint": "", "share": 1.0, "cores": 1, **globals()}
if variables["failpoint"]:
    os.environ |= {"GOODFIT_TEST": "1", "GOODFIT_FAILPOINT": variables["failpoint"]}
crew.cores = lambda: variables["cores"]
keeper.SHARE = variables["share"]  # 1: a checkpoint after every epoch


def candidates() -> list[Candidate]:
    """Six members of two forms, with noise, norms, early stopping, and trails of every kind."""
    found, data = [], None
    trails = [{"ema": {"decay": 0.9}}, {"swa": {"enabled": True, "start": 0.2}}, {"lookahead": {"enabled": True}}, {}]
    for number in range(6):
        regularization = {
            "batch_norm": {"enabled": True},
            "dropout": {"p": 0.1 + 0.05 * number},
            "early_stopping": {"patience": 2 if number == 3 else 10},
            **trails[number % 4],
        }
        optimizer = {"kind": "adamw" if number % 2 else "nadam", "lr": 0.003 * (1 + number)}
        recipe, rows = made_up.made(regularization=regularization, training={"epochs": 5, "optimizer": optimizer})
        data = data or rows
        found.append(Candidate(number, recipe, seed=number, data=data))
    return found


def judge(epoch: int, losses: dict[int, float]) -> list[int]:
    """Stop the worst after the second epoch and after the fourth."""
    return [max(losses, key=losses.__getitem__)] if epoch in (2, 4) else []


heard: list[tuple[int, int, bool]] = []
outcome = [
    (
        finished.number,
        finished.state,
        [dict(epoch.metrics) for epoch in finished.fitted.epochs],
        {name: tensor.clone() for name, tensor in finished.fitted.model.state_dict().items()},
    )
    for finished in fit_population(
        candidates(),
        state=variables["state"],
        judge=judge,
        on_epoch=lambda number, epoch: heard.append((number, epoch.number, epoch.restored)),
    )
]
torch.save({"outcome": outcome, "heard": heard}, variables["result"])
