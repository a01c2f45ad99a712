"""A refit trains on all rows for the epochs that were found; nothing that has seen the valid rows judges by them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from goodfit.data import Table
from goodfit.errors import ConfigurationError
from goodfit.optimizers import OPTIMIZERS
from goodfit.training import (
    Candidate,
    Fitted,
    Found,
    Recipe,
    Refitted,
    TrainingData,
    fit,
    fit_population,
    refit,
    together,
    with_refit,
)

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
    return refit([Found(first[0], 1, first[1].best_epoch)], both, **options)


def test_all_rows_train_for_the_epochs_that_were_best_and_nothing_stops_it(first: First, both: Tables) -> None:
    found = again(first, both)
    assert len(found.data.train_target) == len(both[0]) + len(both[1]) == found.figures["refit/rows"]
    assert found.fitted[0].best_epoch == len(found.fitted[0].epochs) == first[1].best_epoch
    rows = together(*both).frame
    assert np.array_equal(found.data.preprocessor.encode_target(rows), found.data.train_target)
    alone = TrainingData.of(*both, first[0].training.preprocessing).preprocessor
    assert found.data.preprocessor.to_dict() != alone.to_dict(), "fitted on all rows that train"


def test_it_learns_from_the_valid_rows(first: First, both: Tables) -> None:
    flipped = both[1].frame.assign(churn=np.where(both[1].frame["churn"] == "yes", "no", "yes"))
    others = again(first, both), again(first, (both[0], Table(flipped, both[1].schema)))
    weights = [list(found.fitted[0].model.state_dict().values()) for found in others]
    assert any(not torch.equal(one, two) for one, two in zip(*weights, strict=True))


def test_a_training_until_an_epoch_is_the_beginning_of_the_whole_one(make: Make) -> None:
    recipe, data = make(training={"epochs": 6, "schedule": {"kind": "cosine"}})
    (part,) = fit_population([Candidate(0, recipe, 1, data, until=2)], state=None)
    assert part.fitted is not None
    assert [epoch.metrics for epoch in part.fitted.epochs] == [
        epoch.metrics for epoch in fit(recipe, data, seed=1, state=None, progress=False).epochs[:2]
    ]


def test_several_models_are_trained_again_each_for_its_own_epochs(first: First, both: Tables) -> None:
    found = refit([Found(first[0], 1, 2), Found(first[0], 2, 3)], both)
    assert [len(one.epochs) for one in found.fitted] == [2, 3]
    assert found.figures["refit/epochs"] == 2


def test_a_refit_that_fails_says_so(first: First, both: Tables) -> None:
    optimizer = OPTIMIZERS["sgd"].options(lr=100, momentum=0.99)
    wild = replace(first[0], training=first[0].training.model_copy(update={"optimizer": optimizer}), task="regression")
    with pytest.raises(ConfigurationError, match=r"train\.refit: the training on all rows failed: .*diverged"):
        refit([Found(wild, 1, 20)], both)


def test_a_finished_refit_is_found_again(first: First, both: Tables, tmp_path: Path) -> None:
    told: list[bool] = []
    found = [
        again(first, both, state=tmp_path, on_epoch=lambda _, epoch: told.append(epoch.restored)) for _ in range(2)
    ]
    assert told == [False] * first[1].best_epoch + [True] * first[1].best_epoch
    assert found[0].fitted[0].epochs[-1].metrics == found[1].fitted[0].epochs[-1].metrics
    longer = first[0], replace(first[1], best_epoch=first[1].best_epoch + 1)
    assert len(again(longer, both, state=tmp_path).fitted[0].epochs) == longer[1].best_epoch


def test_its_curve_stands_beside_the_first_one(first: First, both: Tables) -> None:
    found = again(first, both)
    rows = with_refit([{"epoch": epoch.number, **epoch.metrics} for epoch in first[1].epochs], found)
    assert [("refit/loss" in row) for row in rows] == [row["epoch"] <= first[1].best_epoch for row in rows]
    assert rows[0]["refit/loss"] == found.fitted[0].epochs[0].metrics["train/loss"]
