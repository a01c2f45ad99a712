"""A table on disk is one Parquet file that carries its schema; in memory it is a pandas frame and that schema."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from numpy.typing import NDArray

from goodfit.data.schema import Schema
from goodfit.errors import DataError, Fault
from goodfit.files import replacing

Mask = NDArray[np.bool_]
METADATA_KEY = b"goodfit.schema"
ROW_GROUP = 1 << 18
COLUMNS_AT_ONCE = 4


@dataclass(frozen=True)
class Table:
    """Rows and what their columns mean."""

    frame: pd.DataFrame
    schema: Schema

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: Mask) -> "Table":
        """Return the rows where the mask of shape (rows,) is true, numbered from 0."""
        return Table(self.frame.take(np.flatnonzero(rows)).reset_index(drop=True), self.schema)


def read_frame(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet file into pandas with its types kept: integers with gaps stay integers, dates stay dates.

    Memory: the frame and an eighth of it, because Arrow's copy is made, and let go, a few columns at a time.

    Raises:
        DataError: the file is not readable Parquet.
    """
    try:
        dataset = ds.dataset(path, format="parquet")
        names = columns or dataset.schema.names
        width = max(COLUMNS_AT_ONCE, len(names) // 8)
        batches = [names[start : start + width] for start in range(0, len(names), width)]
        with _reusing_pages():
            return pd.concat([to_pandas(dataset.to_table(batch)) for batch in batches], axis="columns")
    except (pa.ArrowException, OSError) as error:
        rule = f"is not readable as Parquet: {error}"
        raise DataError([Fault(str(path), rule, None, "Run the stage that writes it again: dvc repro.")]) from error


@contextmanager
def _reusing_pages() -> Iterator[None]:
    """Let Arrow allocate by jemalloc, where it has it: freed pages serve the next columns, and fresh ones cost most."""
    before = pa.default_memory_pool()
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def to_pandas(arrow: pa.Table) -> pd.DataFrame:
    """Convert an Arrow table, consuming it."""
    order = arrow.schema.names
    nullable = [field.name for field in arrow.schema if _has_gaps(arrow, field)]
    kept = arrow.select(nullable).to_pandas(types_mapper=_nullable_dtype) if nullable else None
    arrow = arrow.drop_columns(nullable) if nullable else arrow
    frame: pd.DataFrame = arrow.to_pandas(split_blocks=True, self_destruct=True, date_as_object=False)
    return frame if kept is None else pd.concat([frame, kept], axis="columns")[order]


def _has_gaps(arrow: pa.Table, field: pa.Field) -> bool:
    """Tell whether pandas would turn a column into floats or objects: whole numbers or truth values with gaps."""
    counts = pa.types.is_integer(field.type) or pa.types.is_boolean(field.type)
    return bool(counts and arrow.column(field.name).null_count)


def _nullable_dtype(kind: pa.DataType) -> object:
    if pa.types.is_boolean(kind):
        return pd.BooleanDtype()
    name = f"{'U' if pa.types.is_unsigned_integer(kind) else ''}Int{kind.bit_width}"
    return pd.api.types.pandas_dtype(name)


def read_table(path: Path, columns: list[str] | None = None) -> Table:
    """Read a Parquet file that `write_table` wrote.

    Raises:
        DataError: the file is not Parquet, or carries no schema.
    """
    frame = read_frame(path, columns)
    metadata = pq.read_schema(path).metadata or {}
    if METADATA_KEY not in metadata:
        raise DataError([Fault(str(path), "carries no goodfit schema", None, "Let `dvc repro split` write it.")])
    return Table(frame, Schema.from_dict(json.loads(metadata[METADATA_KEY])))


def write_table(path: Path, table: Table, rows: Mask | None = None) -> None:
    """Write a table with its schema as one Parquet file, atomically; equal tables give equal bytes.

    Memory: two row groups (262,144 rows each) beside the table.

    Args:
        path: the file.
        table: the rows and their schema.
        rows: a mask of shape (rows,): write only the rows where it is true.
    """
    metadata = {METADATA_KEY: json.dumps(table.schema.to_dict()).encode()}
    arrow = pa.Schema.from_pandas(table.frame, preserve_index=False).with_metadata(metadata)
    texts = [field.name for field in arrow if _repeats(field.type)]
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, arrow, compression="zstd", use_dictionary=texts) as writer,
    ):
        for group in _one_ahead(_row_groups(table.frame, arrow, rows)):
            writer.write_table(group, row_group_size=ROW_GROUP)


def _repeats(kind: pa.DataType) -> bool:
    """Tell whether a dictionary of the values is worth its making; one of numbers costs time and saves nothing."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))


def _row_groups(frame: pd.DataFrame, arrow: pa.Schema, rows: Mask | None) -> Iterator[pa.Table]:
    """Yield the chosen rows in full groups, whichever rows were left out: equal rows give equal bytes."""
    waiting = arrow.empty_table()
    for start in range(0, len(frame), ROW_GROUP):
        piece = pa.Table.from_pandas(frame.iloc[start : start + ROW_GROUP], arrow, preserve_index=False)
        chosen = piece if rows is None else piece.filter(pa.array(rows[start : start + ROW_GROUP]))
        waiting = pa.concat_tables([waiting, chosen])
        if waiting.num_rows >= ROW_GROUP:
            yield waiting.slice(0, ROW_GROUP).combine_chunks()
            waiting = waiting.slice(ROW_GROUP)
    yield waiting.combine_chunks()


def _one_ahead(groups: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield the groups while a thread already makes the next one."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, groups, None)
        while (group := coming.result()) is not None:
            coming = pool.submit(next, groups, None)
            yield group
