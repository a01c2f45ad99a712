"""The result of a split: the table, the code of every row, and what reports/split.json says of it."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Schema, Table
from goodfit.errors import ConfigurationError, DataError, Fault, shorten
from goodfit.registry import Section
from goodfit.splits.base import LEFT_OUT, NAMES, SPLITS, Codes, Units
from goodfit.splits.units import clusters_of

ROWS_NEEDED = len(NAMES)
SHOWN = 6


@dataclass(frozen=True)
class Parts:
    """Every row's place.

    Attributes:
        table: all n rows.
        codes: [n] 0 train, 1 valid, 2 test, -1 left out.
        clusters: [n] number of each row's cluster of exact copies.
        strategy: the kind of split.
    """

    table: Table
    codes: Codes
    clusters: Units
    strategy: str

    @property
    def train(self) -> Table:
        """The rows that train, numbered from 0."""
        return self.part("train")

    @property
    def valid(self) -> Table:
        """The rows that choose the model, numbered from 0."""
        return self.part("valid")

    @property
    def test(self) -> Table:
        """The rows that are kept for the verdict, numbered from 0."""
        return self.part("test")

    def part(self, name: str) -> Table:
        """Return a copy of the rows of one split, in the order of the table."""
        return self.table.take(self.mask(name))

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Return [n]: true for the rows of one split."""
        chosen: NDArray[np.bool_] = self.codes == NAMES.index(name)
        return chosen

    @property
    def rows(self) -> dict[str, int]:
        """Return the rows per split."""
        return {name: int(np.count_nonzero(self.codes == code)) for code, name in enumerate(NAMES)}

    @property
    def left_out(self) -> int:
        """The rows in no split: those within a gap of time."""
        return int(np.count_nonzero(self.codes == LEFT_OUT))

    def to_dict(self) -> dict[str, Any]:
        """Return what reports/split.json says of the assignment itself."""
        return {
            "strategy": self.strategy,
            "rows": self.rows,
            "left_out": self.left_out,
            "copies": len(self.clusters) - int(self.clusters.max()) - 1,
            "digest": hashlib.sha256(np.ascontiguousarray(self.codes).tobytes()).hexdigest(),
            "classes": {label: dict(zip(NAMES, rows, strict=True)) for label, rows in self.class_counts.items()},
        }

    @cached_property
    def class_counts(self) -> dict[str, tuple[int, ...]]:
        """Return the rows of each class in train, valid and test; empty for regression."""
        if self.table.schema.task == "regression":
            return {}
        codes, labels = pd.factorize(self.table.frame[self.table.schema.target.name])
        dealt = (self.codes != LEFT_OUT) & (codes >= 0)
        cells = codes[dealt].astype(np.int64) * len(NAMES) + self.codes[dealt]
        counts = np.bincount(cells, minlength=len(labels) * len(NAMES)).reshape(-1, len(NAMES)).tolist()
        return {str(label): tuple(rows) for label, rows in zip(labels, counts, strict=True)}


def split_table(table: Table, section: Section, seed: int) -> Parts:
    """Assign every row of a table to train, valid or test.

    Args:
        table: all rows that may be used.
        section: the `split` section of params.yaml: a kind and its options.
        seed: the seed of params.yaml; equal input and seed give an equal split.

    Raises:
        ConfigurationError: the schema lacks what this kind of split needs.
        DataError: the target has gaps, or the rows do not suffice for three splits.
    """
    split = SPLITS.build(section)
    faults = split.schema_faults(table.schema)
    if faults:
        raise ConfigurationError(faults)
    _refuse_gaps(table)
    clusters = clusters_of(table, split)
    units = clusters if split.duplicates == "together" else np.arange(len(table), dtype=np.int64)
    kind: str = getattr(section, "kind")  # noqa: B009  (every member's options have it)
    _refuse_few(table, units, keeps_units=bool(SPLITS[kind].facts.get("keeps_units")))
    parts = Parts(table, split.assign(table, units, seed), clusters, kind)
    _refuse_empty(parts)
    return parts


def _refuse_gaps(table: Table) -> None:
    name = table.schema.target.name
    target = table.frame[name]
    missing = int(target.isna().sum())
    remedy = "Take those rows out, or let the suite set them aside (not-null, with validate.on_failure: quarantine)."
    if missing:
        raise DataError(
            [Fault(f"column '{name}'", f"is the target and lacks a value in {missing:,} rows", None, remedy)]
        )
    if pd.api.types.is_float_dtype(target.dtype):
        endless = int(np.isinf(target.to_numpy(dtype=np.float64)).sum())
        if endless:
            raise DataError(
                [Fault(f"column '{name}'", f"is the target and is infinite in {endless:,} rows", None, remedy)]
            )


def _refuse_few(table: Table, units: Units, keeps_units: bool) -> None:
    if len(table) < ROWS_NEEDED:
        rule = f"train, valid and test need {ROWS_NEEDED} rows, and there are {len(table)}"
        raise DataError([Fault("data", rule, None, "Deliver more rows; check source and the rows set aside.")])
    distinct = int(units.max()) + 1
    if keeps_units and distinct < ROWS_NEEDED:
        rule = f"all {len(table):,} rows are copies of {distinct}, which leaves splits empty when copies stay together"
        raise DataError([Fault("data", rule, None, "Deliver distinct rows, or set split.duplicates: allow.")])


def _refuse_empty(parts: Parts) -> None:
    empty = [name for name, rows in parts.rows.items() if not rows]
    if empty:
        left_out = f" ({parts.left_out:,} are left out in gaps)" if parts.left_out else ""
        rows = f"{len(parts.table):,} rows split by kind '{parts.strategy}'"
        rule = f"{rows} leave none for {' and '.join(empty)}{left_out}"
        remedy = (
            "Deliver more rows, groups or moments, change the shares or the gap, choose another split.kind, or, where "
            "copies tie the rows together, set split.duplicates: allow."
        )
        raise DataError([Fault("params.yaml: split", rule, None, remedy)])


def headline(parts: Parts) -> str:
    """Return one line: what was inferred of the table, and how many rows each split has."""
    schema = parts.table.schema
    types = Counter(column.type for column in schema.features)
    features = f"{len(schema.features)} features ({', '.join(f'{count} {kind}' for kind, count in types.items())})"
    left_out = f", {parts.left_out:,} left out" if parts.left_out else ""
    rows = ", ".join(f"{name} {rows:,}" for name, rows in parts.rows.items())
    return f"split: target '{schema.target.name}' ({_task(schema)}), {features}; {parts.strategy}: {rows}{left_out}"


def _task(schema: Schema) -> str:
    if schema.task == "regression":
        return schema.task
    more = f", … {len(schema.classes)} in all" if len(schema.classes) > SHOWN else ""
    return f"{schema.task}: {', '.join(shorten(name)[1:-1] for name in schema.classes[:SHOWN])}{more}"
