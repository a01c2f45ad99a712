"""Which rows a model's training has seen, kept as hashes: what proves later that a test row is new to it.

Every row of the table at the time is known; those of train and valid are trained on. Hashes hold no values, take 8
bytes a row, and do not depend on the order of rows or columns.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pandas.api import types as kinds

from goodfit.data import Schema, Table
from goodfit.files import replacing
from goodfit.splits.hashing import hash_rows

Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]
KNOWN, TRAINED, GROUP = 0, 1, 2
FACTS = b"goodfit.known"


@dataclass(frozen=True)
class Unseen:
    """Rows that a model's training has not seen.

    Args:
        mask: [n] true for those of which that is proven.
        proof: how, or why not, in words.
    """

    mask: Mask
    proof: str


@dataclass(frozen=True)
class KnownRows:
    """The rows that were there when a model was trained.

    Args:
        identity: columns whose values make a row; equal in two rows, and they count as the same row.
        group: the column whose rows stay on one side of the split, None without one.
        time: the column by which the splits follow each other, None where they do not.
        until: the last time of train and valid, as ISO text or a number; None where there is no time.
        known: hashes of all rows, ascending, copies repeated.
        trained: hashes of the rows of train and valid, ascending, each once.
        groups: hashes of the groups of train and valid, ascending, each once.
    """

    identity: tuple[str, ...]
    group: str | None
    time: str | None
    until: str | float | None
    known: Hashes
    trained: Hashes
    groups: Hashes

    @classmethod
    def of(cls, whole: Table, trained: list[pd.DataFrame], identity: list[str], *, by_time: bool) -> "KnownRows":
        """Return what is to be kept of a training.

        Args:
            whole: all rows, those that no split took included.
            trained: the rows of train and of valid.
            identity: columns whose values make a row.
            by_time: whether the splits follow each other in the schema's time column.
        """
        group, time = _role(whole.schema, "group"), _role(whole.schema, "time") if by_time else None
        seen = [np.unique(hash_rows(frame, identity)) for frame in trained]
        groups = [np.unique(hash_rows(frame, [group])) for frame in trained] if group else []
        until = max(_latest(frame[time]) for frame in trained) if time else None
        nothing = np.empty(0, dtype=np.uint64)
        return cls(
            tuple(identity),
            group,
            time,
            until,
            np.sort(hash_rows(whole.frame, identity)),
            np.unique(np.concatenate([nothing, *seen])),
            np.unique(np.concatenate([nothing, *groups])),
        )

    def new(self, table: Table, identity: list[str]) -> Mask:
        """Return [n]: true for rows that were not there then; of copies, those beyond the count of then are new."""
        if tuple(identity) != self.identity:
            return np.ones(len(table), dtype=bool)
        hashes = hash_rows(table.frame, identity)
        occurrence = pd.Series(hashes).groupby(hashes, sort=False).cumcount().to_numpy()
        counts = np.searchsorted(self.known, hashes, side="right") - np.searchsorted(self.known, hashes, side="left")
        new: Mask = occurrence >= counts
        return new

    def unseen(self, table: Table, identity: list[str]) -> Unseen:
        """Return the rows of a table that are proven not to be among those of train and valid, nor of their groups."""
        later = self._later(table)
        if tuple(identity) == self.identity and _role(table.schema, "group") == self.group:
            seen = _among(hash_rows(table.frame, identity), self.trained)
            if self.group:
                seen |= _among(hash_rows(table.frame, [self.group]), self.groups)
            return Unseen(later | ~seen, "row by row" + (", by group" if self.group else ""))
        if self.time and later.any():
            return Unseen(later, f"by '{self.time}', after {self.until}")
        changed = sorted({*identity} ^ {*self.identity}) or [str(self.group), str(_role(table.schema, "group"))]
        return Unseen(later, f"not at all: the columns that tell rows apart have changed ({', '.join(changed[:5])})")

    def _later(self, table: Table) -> Mask:
        if self.time is None or self.time not in table.frame or _role(table.schema, "time") != self.time:
            return np.zeros(len(table), dtype=bool)
        times = _plain(table.frame[self.time])
        limit = self.until if isinstance(self.until, int | float) else pd.Timestamp(str(self.until))
        if isinstance(limit, pd.Timestamp) == kinds.is_numeric_dtype(times.dtype):
            return np.zeros(len(table), dtype=bool)
        return (times > limit).fillna(False).to_numpy(dtype=bool)

    def write(self, path: Path) -> None:
        """Write one Parquet file; equal rows give equal bytes."""
        facts = {"identity": self.identity, "group": self.group, "time": self.time, "until": self.until}
        parts = ((KNOWN, self.known), (TRAINED, self.trained), (GROUP, self.groups))
        columns = {
            "hash": np.concatenate([hashes for _, hashes in parts]),
            "part": np.concatenate([np.full(len(hashes), part, dtype=np.uint8) for part, hashes in parts]),
        }
        table = pa.table(columns).replace_schema_metadata({FACTS: json.dumps(facts)})
        with replacing(path) as temporary:
            pq.write_table(table, temporary, compression="zstd", use_dictionary=["part"])

    @classmethod
    def read(cls, path: Path) -> "KnownRows":
        """Read what `write` wrote; raise ValueError where it is something else."""
        table = pq.read_table(path)
        facts: Mapping[str, Any] = json.loads((table.schema.metadata or {}).get(FACTS, b"{}"))
        if not facts:
            raise ValueError("holds no facts about known rows")
        hashes, part = (table.column(name).to_numpy() for name in ("hash", "part"))
        three = [np.ascontiguousarray(hashes[part == kind]) for kind in (KNOWN, TRAINED, GROUP)]
        return cls(tuple(facts["identity"]), facts["group"], facts["time"], facts["until"], *three)


def _role(schema: Schema, role: Any) -> str | None:
    return next(iter(schema.names(role)), None)


def _among(hashes: Hashes, ordered: Hashes) -> Mask:
    if not len(ordered):
        return np.zeros(len(hashes), dtype=bool)
    place = np.searchsorted(ordered, hashes).clip(max=len(ordered) - 1)
    found: Mask = ordered[place] == hashes
    return found


def _plain(times: pd.Series) -> pd.Series:
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        plain: pd.Series = times.dt.tz_convert("UTC").dt.tz_localize(None)
        return plain
    return times


def _latest(times: pd.Series) -> str | float:
    latest = _plain(times).max()
    return float(latest) if kinds.is_numeric_dtype(times.dtype) else pd.Timestamp(latest).isoformat()
