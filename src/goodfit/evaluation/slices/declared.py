"""Slices that params.yaml names: every level or bin of a column, and every cross of columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Schema
from goodfit.evaluation.slices.coding import Coder, coder_of

MAX_SLICES = 100
"""Slices of one declaration that are shown, the largest first."""


@dataclass(frozen=True)
class Declared:
    """One declared slice: its name, its declaration, and which rows [n] it holds."""

    name: str
    declaration: str
    mask: NDArray[np.bool_]


def declared_slices(
    frame: pd.DataFrame,
    schema: Schema,
    declarations: Sequence[Sequence[str]],
    cuts: Mapping[str, Sequence[float]],
    bins: int,
    min_rows: int,
) -> list[Declared]:
    """Return the slices with at least `min_rows` rows, per declaration by size.

    Args:
        frame: the rows, [n].
        schema: their columns.
        declarations: one or more columns each; several are crossed.
        cuts: column to the cuts between its bins.
        bins: equally full bins of a numeric column without cuts.
        min_rows: fewest rows of a slice.
    """
    columns = {column.name: column for column in schema.columns}
    used = {name for declaration in declarations for name in declaration}
    coders = {name: coder_of(frame[name], columns[name], bins, cuts.get(name)) for name in sorted(used)}
    codes = {name: coders[name].codes(frame[name]) for name in coders}
    found: list[Declared] = []
    for declaration in declarations:
        atoms = [[(text, holds, name) for text, holds in _single(coders[name])] for name in declaration]
        parts = []
        for chosen in product(*atoms):
            mask = np.logical_and.reduce([holds[codes[name]] for _, holds, name in chosen])
            name = " and ".join(text for text, _, _ in chosen)
            parts.append(Declared(name, " x ".join(declaration), np.asarray(mask)))
        large = [part for part in parts if part.mask.sum() >= max(1, min_rows)]
        found += sorted(large, key=lambda part: -int(part.mask.sum()))[:MAX_SLICES]
    return found


def _single(coder: Coder) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return the atoms that hold one code: no two of them share a row."""
    return [(text, holds) for text, holds in coder.atoms if holds.sum() == 1]
