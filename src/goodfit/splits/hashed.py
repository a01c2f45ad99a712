"""Let a row's own values decide, so that it never moves."""

from typing import Any

import numpy as np

from goodfit.data import Schema, Table
from goodfit.errors import Fault, suggestion
from goodfit.splits.base import SPLITS, Codes, FractionSplit, Units
from goodfit.splits.hashing import hash_rows


@SPLITS.register("hashed")
class HashedSplit(FractionSplit):
    """Hash the key columns with the seed: a row stays where it is when rows are added, deleted or reordered.

    Without keys, features and target are the key, and copies stay together. With keys, the key decides alone: copies
    under different keys can part, and the check `duplicates` stops there unless duplicates are allowed. The shares hold
    on average, so a small table can miss them.

    Options:
        keys: the columns whose values decide; none means the features and the target.
    """

    def __init__(self, *, keys: list[str] = [], **shared: Any) -> None:  # noqa: B006  (never changed)
        super().__init__(**shared)
        self.keys = keys

    def schema_faults(self, schema: Schema) -> list[Fault]:
        """Return a fault for each key that is no column, or is the target."""
        names = [column.name for column in schema.columns]
        place = "params.yaml: split.keys"
        faults = [
            Fault(place, f"the data have no column '{key}'", None, suggestion(key, names))
            for key in self.keys
            if key not in names
        ]
        if schema.target.name in self.keys:
            rule = "must not hold the target: its classes would fall into different splits"
            faults.append(Fault(place, rule, schema.target.name, "Name columns that identify a row."))
        return faults

    def assign(self, table: Table, units: Units, seed: int) -> Codes:
        """Cut the range of the hash by the shares."""
        hashes = hash_rows(table.frame, self.keys or self.identity(table.schema), seed)
        cuts = (np.cumsum(self.fractions[:2]) * 2.0**64).astype(np.uint64)
        return np.searchsorted(cuts, hashes, side="right").astype(np.int8)
