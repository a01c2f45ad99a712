"""Find the worst slices on some rows, and ask others, which had no part in the search, whether they are.

Both ways: valid is searched and test is asked, and test is searched and valid is asked, each at half the level (the
correction of Bonferroni). A slice that hides in one split by chance shows in the other, and every answer is still one
of rows that did not choose the question.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Schema, Task
from goodfit.evaluation.slices.coding import coded, learn_coders
from goodfit.evaluation.slices.confirming import SHUFFLES, Confirmed, confirm
from goodfit.evaluation.slices.losses import Excess, excess_losses, row_losses
from goodfit.evaluation.slices.search import Slice, search

MAX_ROWS = 50_000
"""Rows of a split that take part; a slice that shows only among more is too slight to act on."""
WAYS = (("valid", "test"), ("test", "valid"))
"""Which rows are searched, and which are asked."""
SMALLEST_P = len(WAYS) / (1 + SHUFFLES)
SAME = 0.5
"""A slice that shares more than that of its rows with those before it says nothing new."""
Kind = Literal["failing", "hard"]
HARD: Kind = "hard"


@dataclass(frozen=True)
class Discovered:
    """One slice that was found.

    Args:
        found: the slice, and its score where it was sought.
        asked: the split that had no part in the search.
        masks: which rows [n] of each split it holds.
        confirmed: what the asked split says.
    """

    found: Slice
    asked: str
    masks: Mapping[str, NDArray[np.bool_]]
    confirmed: Confirmed

    @property
    def name(self) -> str:
        """The conditions as text."""
        return self.found.name

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which rows [n] of the asked split it holds."""
        return self.masks[self.asked]

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
    clusters: Mapping[str, NDArray[np.intp] | None] | None = None,
    *,
    kinds: Sequence[Kind],
    bins: int,
    min_rows: int,
    count: int,
    seed: Sequence[int],
) -> dict[Kind, list[Discovered]]:
    """Return up to `count` slices of each kind, the surest first, and of equally sure ones the worst.

    Args:
        task, schema: of the table; slices are made of its features.
        frames, targets, predictions: of `valid` and `test`.
        clusters: split to the cluster of each row [n], where rows are no evidence by themselves: groups, or stretches
            of time.
        kinds: `failing`: judged against rows with the same predictions; `hard`: against all rows.
        bins, min_rows, count, seed: of the search.
    """
    kept = {split: _sample(len(frames[split]), seed) for split in ("valid", "test")}
    looked_at = {split: frames[split].iloc[rows] for split, rows in kept.items()}
    coders = {split: learn_coders(frame, schema.features, bins) for split, frame in looked_at.items()}
    codes = {split: coded(frame, coders[split]) for split, frame in looked_at.items()}
    answers: dict[Kind, list[Discovered]] = {}
    for kind in kinds:
        excess = {
            split: _excess(task, targets[split][rows], predictions[split][rows], kind) for split, rows in kept.items()
        }
        found: list[Discovered] = []
        for searched, asked in WAYS:
            parts = search(codes[searched], coders[searched], excess[searched], min_rows, count)
            masks = [{split: part.mask(frames[split]) for split in kept} for part in parts]
            whose = (clusters or {}).get(asked)
            together = None if whose is None else np.unique(whose[kept[asked]], return_inverse=True)[1]
            said = confirm([mask[asked][kept[asked]] for mask in masks], excess[asked], seed, together)
            found += [
                Discovered(part, asked, mask, replace(answer, p=min(1.0, len(WAYS) * answer.p)))
                for part, mask, answer in zip(parts, masks, said, strict=True)
                if answer.rows
            ]
        surest = sorted(found, key=lambda part: (part.confirmed.p, -part.score))
        answers[kind] = list(_distinct(surest))[:count]
    return answers


def _distinct(parts: Sequence[Discovered]) -> Iterator[Discovered]:
    """Yield the slices that hold other rows than those before them."""
    seen = {split: np.zeros(len(mask), dtype=bool) for part in parts[:1] for split, mask in part.masks.items()}
    for part in parts:
        shared = sum(int((mask & seen[split]).sum()) for split, mask in part.masks.items())
        if shared <= SAME * sum(int(mask.sum()) for mask in part.masks.values()):
            yield part
            seen = {split: seen[split] | mask for split, mask in part.masks.items()}


def _excess(task: Task, target: NDArray[Any], prediction: NDArray[np.float64], kind: Kind) -> Excess:
    return excess_losses(row_losses(task, target, prediction), task, None if kind == HARD else prediction)


def _sample(rows: int, seed: Sequence[int]) -> NDArray[np.intp]:
    if rows <= MAX_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MAX_ROWS, replace=False))
