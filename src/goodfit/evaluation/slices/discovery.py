"""Find the worst slices on the valid rows, and ask the test rows whether they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Schema, Task
from goodfit.evaluation.slices.coding import learn_coders
from goodfit.evaluation.slices.confirming import Confirmed, confirm
from goodfit.evaluation.slices.losses import Excess, excess_losses, row_losses
from goodfit.evaluation.slices.search import Slice, search

MAX_ROWS = 50_000
"""Rows of a split that take part; a slice that shows only among more is too slight to act on."""
Kind = Literal["failing", "hard"]
HARD: Kind = "hard"


@dataclass(frozen=True)
class Discovered:
    """One slice that was found on valid: its rows among all test rows [n], and what they say."""

    found: Slice
    mask: NDArray[np.bool_]
    confirmed: Confirmed

    @property
    def name(self) -> str:
        """The conditions as text."""
        return self.found.name

    @property
    def score(self) -> float:
        """The excess loss in standard errors, on valid and test rows together (Stouffer, 1949)."""
        return float((self.found.score + self.confirmed.score) / np.sqrt(2))


def discover(
    task: Task,
    schema: Schema,
    frames: Mapping[str, pd.DataFrame],
    targets: Mapping[str, NDArray[Any]],
    predictions: Mapping[str, NDArray[np.float64]],
    groups: NDArray[np.intp] | None = None,
    *,
    kind: Kind,
    bins: int,
    min_rows: int,
    count: int,
    seed: Sequence[int],
) -> list[Discovered]:
    """Return up to `count` slices, the worst first.

    Args:
        task, schema: of the table; slices are made of its features.
        frames, targets, predictions: of `valid`, which is searched, and `test`, which is asked.
        groups: the group of each test row [n], where rows stand in groups.
        kind: `failing`: judged against rows with the same predictions; `hard`: against all rows.
        bins, min_rows, count, seed: of the search.
    """
    kept = {split: _sample(len(frames[split]), seed) for split in ("valid", "test")}
    excess = {
        split: _excess(task, targets[split][rows], predictions[split][rows], kind) for split, rows in kept.items()
    }
    looked_at = frames["valid"].iloc[kept["valid"]]
    coders = learn_coders(looked_at, schema.features, bins)
    found = search(looked_at, coders, excess["valid"], min_rows, count)
    masks = [part.mask(frames["test"]) for part in found]
    asked = None if groups is None else np.unique(groups[kept["test"]], return_inverse=True)[1]
    answers = confirm([mask[kept["test"]] for mask in masks], excess["test"], seed, asked)
    parts = [Discovered(*part) for part in zip(found, masks, answers, strict=True)]
    return sorted((part for part in parts if part.confirmed.rows), key=lambda part: -part.score)


def _excess(task: Task, target: NDArray[Any], prediction: NDArray[np.float64], kind: Kind) -> Excess:
    return excess_losses(row_losses(task, target, prediction), task, None if kind == HARD else prediction)


def _sample(rows: int, seed: Sequence[int]) -> NDArray[np.intp]:
    if rows <= MAX_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MAX_ROWS, replace=False))
