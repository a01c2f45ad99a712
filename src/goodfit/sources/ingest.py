"""Stream a source into one Parquet file that is either whole or not there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from goodfit.errors import DataError, Fault
from goodfit.files import digest_of_file, replacing
from goodfit.sources.base import Source
from goodfit.stage import failpoint

ROW_GROUP = 1 << 18
"""Rows that are held before they are written: bounds the memory, and later readers can skip by it."""
MAX_HELD = 1 << 27
"""Bytes that are held at most, for tables of very many columns."""


@dataclass(frozen=True)
class Ingested:
    """What has been read.

    Attributes:
        rows: how many.
        columns: name to Arrow type, in the order of the source.
        fingerprint: sha256 of the bytes that were read; of the Parquet file where there are none (SQL, packages).
    """

    rows: int
    columns: dict[str, str]
    fingerprint: str


def ingest(source: Source, path: Path) -> Ingested:
    """Write all rows of a source to `path` as Parquet, atomically; equal rows give equal bytes.

    Memory: one row group and what the source reads ahead, however long the table is.

    Raises:
        DataError: the source has no rows, or what `Source.read` raises.
    """
    with replacing(path) as temporary:
        reader = source.read()
        rows = _write(reader, temporary) if len(reader.schema) else 0
        if not rows:
            raise DataError(
                [Fault(source.place, "has no rows", None, "A header alone is no table: look at the file or the query.")]
            )
        failpoint("ingest.written")  # K02: the file is whole, and not yet in its place
        fingerprint = source.fingerprint() or digest_of_file(temporary, "sha256")
    return Ingested(rows, {field.name: str(field.type) for field in reader.schema}, fingerprint)


def _write(reader: pa.RecordBatchReader, path: Path) -> int:
    rows = 0
    texts = [field.name for field in reader.schema if _is_text(field.type)]  # of numbers a dictionary saves nothing
    with pq.ParquetWriter(path, reader.schema, compression="zstd", compression_level=1, use_dictionary=texts) as writer:
        for table in _row_groups(reader):
            writer.write_table(table, table.num_rows)  # as one row group
            rows += table.num_rows
            failpoint("ingest.half")  # K01: a part of the output is written
    return rows


def _row_groups(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Gather batches: pyarrow would make a row group of each, however small."""
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        held.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= ROW_GROUP or size >= MAX_HELD:
            yield pa.Table.from_batches(held, reader.schema).unify_dictionaries()
            held, rows, size = [], 0, 0
    if rows:
        yield pa.Table.from_batches(held, reader.schema).unify_dictionaries()


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_dictionary(kind))
