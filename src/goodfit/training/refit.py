"""Train once more on the train and the valid rows together, when everything has been chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from goodfit.data import Table
from goodfit.registry import Section
from goodfit.training.fit import fit
from goodfit.training.recipe import Epoch, Fitted, Recipe, TrainingData


@dataclass(frozen=True)
class Refitted:
    """A model that was trained on train and valid rows.

    Args:
        fitted: the model; its `valid/loss` is of rows that it has trained on.
        data: all rows, preprocessed by what was fitted on all of them.
    """

    fitted: Fitted
    data: TrainingData

    @property
    def figures(self) -> dict[str, float]:
        """What it cost and how long it was."""
        return {
            "refit/epochs": len(self.fitted.epochs),
            "refit/rows": len(self.data.train_target),
            "cost/refit_seconds": self.fitted.seconds,
        }


def refit(
    recipe: Recipe,
    tables: tuple[Table, Table],
    chosen: Fitted,
    *,
    seed: int,
    state: Path | None,
    on_epoch: Callable[[Epoch], None] | None = None,
    progress: bool = True,
) -> Refitted:
    """Train on the train and the valid rows, for as many epochs as were best on the valid rows.

    Nothing stops it early: the only rows that could say when are those it trains on.

    Args:
        recipe: of the fit that chose the epoch.
        tables: train and valid rows.
        chosen: the result of that fit.
        seed, state, on_epoch, progress: see `fit`; the state must be another than that fit's.

    Raises:
        ConfigurationError, DivergedError, MachineError, ServiceError: see `fit`.
    """
    rows = together(*tables)
    data = TrainingData.of(rows, tables[1], recipe.training.preprocessing)
    free = replace(recipe, regularization=_without_early_stopping(recipe.regularization))
    until = chosen.best_epoch
    fitted = fit(free, data, seed=seed, state=state, on_epoch=on_epoch, progress=progress, until=until)
    return Refitted(fitted, data)


def together(*tables: Table) -> Table:
    """Return the rows of several tables of one schema behind each other."""
    return Table(pd.concat([table.frame for table in tables], ignore_index=True), tables[0].schema)


def with_refit(curve: Sequence[dict[str, float]], again: Refitted) -> list[dict[str, float]]:
    """Return the rows of a curve by epoch, with the train loss of the refit beside what they hold."""
    losses = {epoch.number: epoch.metrics["train/loss"] for epoch in again.fitted.epochs}
    return [row | ({"refit/loss": losses[int(row["epoch"])]} if row["epoch"] in losses else {}) for row in curve]


def _without_early_stopping(section: Section) -> Section:
    name = "early_stopping"
    return section.model_copy(update={name: type(getattr(section, name))()})
