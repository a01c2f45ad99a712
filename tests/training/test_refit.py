"""A refit trains on all rows for the epochs that were found; nothing that has seen the valid rows judges by them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from goodfit.data import Table
from goodfit.training import Fitted, Recipe, Refitted, TrainingData, fit, refit, together, with_refit

Make = Callable[..., tuple[Recipe, TrainingData]]
Tables = tuple[Table, Table]
First = tuple[Recipe, Fitted]


@pytest.fixture(scope="module")
def first(make: Make, both: Tables) -> tuple[Recipe, Fitted]:
    """A fit that early stopping ended before its time."""
    training = {"epochs": 40, "batch_size": 32, "optimizer": {"kind": "adamw", "lr": 0.03}}
    recipe, data = make(regularization={"early_stopping": {"patience": 3}}, training=training)
    fitted = fit(recipe, data, seed=1, state=None, progress=False)
    assert 1 < fitted.best_epoch < len(fitted.epochs) < 40
    return recipe, fitted


def again(first: First, both: Tables, **options: Any) -> Refitted:
    return refit(first[0], both, first[1], seed=1, **{"state": None, "progress": False, **options})


def test_all_rows_train_for_the_epochs_that_were_best_and_nothing_stops_it(first: First, both: Tables) -> None:
    found = again(first, both)
    assert len(found.data.train_target) == len(both[0]) + len(both[1]) == found.figures["refit/rows"]
    assert found.fitted.best_epoch == len(found.fitted.epochs) == first[1].best_epoch
    rows = together(*both).frame
    assert np.array_equal(found.data.preprocessor.encode_target(rows), found.data.train_target)
    alone = TrainingData.of(*both, first[0].training.preprocessing).preprocessor
    assert found.data.preprocessor.to_dict() != alone.to_dict(), "fitted on all rows that train"


def test_it_learns_from_the_valid_rows(first: First, both: Tables) -> None:
    flipped = both[1].frame.assign(churn=np.where(both[1].frame["churn"] == "yes", "no", "yes"))
    others = again(first, both), again(first, (both[0], Table(flipped, both[1].schema)))
    weights = [list(found.fitted.model.state_dict().values()) for found in others]
    assert any(not torch.equal(one, two) for one, two in zip(*weights, strict=True))


def test_a_fit_until_an_epoch_is_the_beginning_of_the_whole_one(make: Make) -> None:
    recipe, data = make(training={"epochs": 6, "schedule": {"kind": "cosine"}})
    whole = fit(recipe, data, seed=1, state=None, progress=False)
    part = fit(recipe, data, seed=1, state=None, progress=False, until=2)
    assert [epoch.metrics for epoch in part.epochs] == [epoch.metrics for epoch in whole.epochs[:2]]


def test_a_finished_refit_is_found_again(first: First, both: Tables, tmp_path: Path) -> None:
    told: list[bool] = []
    found = [again(first, both, state=tmp_path, on_epoch=lambda epoch: told.append(epoch.restored)) for _ in range(2)]
    assert told == [False] * first[1].best_epoch + [True] * first[1].best_epoch
    assert found[0].fitted.epochs[-1].metrics == found[1].fitted.epochs[-1].metrics
    longer = first[0], replace(first[1], best_epoch=first[1].best_epoch + 1)
    assert len(again(longer, both, state=tmp_path).fitted.epochs) == longer[1].best_epoch


def test_its_curve_stands_beside_the_first_one(first: First, both: Tables) -> None:
    found = again(first, both)
    rows = with_refit([{"epoch": epoch.number, **epoch.metrics} for epoch in first[1].epochs], found)
    assert [("refit/loss" in row) for row in rows] == [row["epoch"] <= first[1].best_epoch for row in rows]
    assert rows[0]["refit/loss"] == found.fitted.epochs[0].metrics["train/loss"]
