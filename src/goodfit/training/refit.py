"""Train chosen models once more, on the train and the valid rows together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from goodfit.data import Table
from goodfit.errors import ConfigurationError, Fault
from goodfit.registry import Section
from goodfit.training.population import Candidate, fit_population
from goodfit.training.recipe import Epoch, Fitted, Recipe, TrainingData

PLACE = "params.yaml: train.refit"


@dataclass(frozen=True)
class Found:
    """What was found by training on the train rows alone.

    Args:
        recipe: what was trained.
        seed: of that training.
        epochs: after how many the loss on the valid rows was best.
    """

    recipe: Recipe
    seed: int
    epochs: int


@dataclass(frozen=True)
class Refitted:
    """Models that were trained on train and valid rows.

    Args:
        fitted: the models; their `valid/loss` is of rows that they have trained on.
        data: all rows, preprocessed by what was fitted on all of them.
        shown: place of the one whose epochs are shown.
    """

    fitted: list[Fitted]
    data: TrainingData
    shown: int = 0

    @property
    def figures(self) -> dict[str, float]:
        """What it cost and how long the one that is shown was."""
        return {
            "refit/epochs": len(self.fitted[self.shown].epochs),
            "refit/rows": len(self.data.train_target),
            "cost/refit_seconds": sum(one.seconds for one in self.fitted),
        }


def refit(
    chosen: Sequence[Found],
    tables: tuple[Table, Table],
    state: Path | None = None,
    on_epoch: Callable[[int, Epoch], None] | None = None,
) -> Refitted:
    """Train on the train and the valid rows, each model from its first weights for as many epochs as were found.

    Nothing stops it early: the only rows that could say when are those it trains on. Schedules stay those of the whole
    training that was asked for.

    Args:
        chosen: the models, all of one preprocessing.
        tables: train and valid rows.
        state: folder for checkpoints of this refit alone, or None to train without.
        on_epoch: called with a model's place and each of its epochs.

    Raises:
        ConfigurationError: a training failed on these rows.
        MachineError, ServiceError: see `fit_population`.
    """
    data = TrainingData.of(together(*tables), tables[1], chosen[0].recipe.training.preprocessing)
    candidates = [
        Candidate(place, _unstopped(found.recipe), found.seed, data, found.epochs) for place, found in enumerate(chosen)
    ]
    ended = {one.number: one for one in fit_population(candidates, state=state, on_epoch=on_epoch)}
    fitted = [fit for place in range(len(chosen)) if (fit := ended[place].fitted) is not None]
    if len(fitted) < len(chosen):
        why = next(one.error for one in ended.values() if one.fitted is None).strip().splitlines()[-1]
        raise ConfigurationError([Fault(PLACE, f"the training on all rows failed: {why}", None, "Set it to false.")])
    return Refitted(fitted, data)


def together(*tables: Table) -> Table:
    """Return the rows of several tables of one schema behind each other."""
    return Table(pd.concat([table.frame for table in tables], ignore_index=True), tables[0].schema)


def with_refit(curve: Sequence[dict[str, float]], again: Refitted) -> list[dict[str, float]]:
    """Return the rows of a curve by epoch, beside what they hold the train loss of the refitted model that is shown."""
    losses = {epoch.number: epoch.metrics["train/loss"] for epoch in again.fitted[again.shown].epochs}
    longer: list[dict[str, float]] = [{"epoch": number} for number in losses if number > len(curve)]
    rows = [*curve, *longer]
    return [row | ({"refit/loss": losses[int(row["epoch"])]} if row["epoch"] in losses else {}) for row in rows]


def _unstopped(recipe: Recipe) -> Recipe:
    section: Section = recipe.regularization
    name = "early_stopping"
    off = type(getattr(section, name))()
    return replace(recipe, regularization=section.model_copy(update={name: off}))
