"""Parquet: one file, a folder, a glob, or a folder partitioned as Hive does it (year=2024/part-0.parquet)."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from goodfit.errors import ConfigurationError, DataError, Fault, suggestion
from goodfit.params import InsidePath
from goodfit.sources.base import SOURCES, Source
from goodfit.sources.files import SourceFile
from goodfit.sources.kinds import parsed
from goodfit.sources.listing import files_at
from goodfit.sources.normal import normalised
from goodfit.sources.text import TextColumn
from goodfit.sources.watched import note_if_unwatched

BATCH = 1 << 16
"""Rows that are decoded at a time."""
SUFFIXES = (".parquet", ".parq", ".pq")
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
CAST = "Cast it when the file is written, or leave it out: list the columns to read in source.columns."


@SOURCES.register("parquet")
class Parquet(Source):
    """Parquet files, in the order of their paths; folders named key=value become columns.

    Every file must have the same columns with the same types. Dates, nullable integers, categories and time zones stay
    what they are (`goodfit.sources.normal`); timestamps of the old int96 kind are read in microseconds.

    Options:
        path: a file, a folder or a glob below the project folder, or a URL (s3://, https://, file:///).
        columns: the columns to read, in this order; null reads all.
    """

    def __init__(self, *, path: InsidePath, columns: list[str] | None = None) -> None:
        self.place = self.path = path
        self.columns = columns
        self._digests: dict[str, str] = {}

    def read(self) -> pa.RecordBatchReader:
        """Compare all files' columns, then return the rows.

        Raises: see `Source.read`.
        """
        paths = files_at(self.path, SUFFIXES)
        note_if_unwatched(self.path)
        keys = _keys(self.path, paths)
        schema, chosen = self._schema(paths, keys)
        return normalised(self.path, schema, self._rows(paths, keys, schema, chosen), CAST)

    def fingerprint(self) -> str | None:
        """Return the sha256 of the file, or of the listing of several."""
        if len(self._digests) == 1:
            return next(iter(self._digests.values()))
        return hashlib.sha256(
            "".join(f"{name}\0{self._digests[name]}\n" for name in self._digests).encode()
        ).hexdigest()

    def _schema(self, paths: list[str], keys: dict[str, pa.Array]) -> tuple[pa.Schema, list[str] | None]:
        first: pa.Schema | None = None
        for path in paths:
            with _opened(path) as (_, parquet):
                found = parquet.schema_arrow.remove_metadata()
            if first is not None and not found.equals(first):
                raise DataError(_differences(path, found, paths[0], first))
            first = first or found
        assert first is not None  # files_at returns at least one
        both = [
            Fault(f"{paths[0]}: column '{key}'", "stands in the file and in the name of its folder")
            for key in keys
            if key in first.names
        ]
        if both:
            raise DataError(both)
        full = pa.schema([*first, *(pa.field(key, values.type) for key, values in keys.items())])
        return self._chosen(full, first)

    def _chosen(self, full: pa.Schema, stored: pa.Schema) -> tuple[pa.Schema, list[str] | None]:
        if self.columns is None:
            return full, None
        unknown = [name for name in self.columns if name not in full.names]
        if unknown:
            raise ConfigurationError(
                [
                    Fault(
                        "params.yaml: source.columns",
                        f"'{self.path}' has no such column",
                        name,
                        suggestion(name, full.names),
                    )
                    for name in unknown
                ]
            )
        return pa.schema([full.field(name) for name in self.columns]), [
            name for name in self.columns if name in stored.names
        ]

    def _rows(
        self, paths: list[str], keys: dict[str, pa.Array], schema: pa.Schema, chosen: list[str] | None
    ) -> Iterator[pa.RecordBatch]:
        for number, path in enumerate(paths):
            with _opened(path) as (file, parquet):
                for batch in parquet.iter_batches(BATCH, columns=chosen):
                    yield _with_keys(batch, schema, {key: values[number] for key, values in keys.items()})
                file.unchanged()
                self._digests[path] = file.digest


@contextmanager
def _opened(path: str) -> Iterator[tuple[SourceFile, pq.ParquetFile]]:
    with SourceFile(path) as file:
        try:
            with pq.ParquetFile(file.stream(), coerce_int96_timestamp_unit="us", pre_buffer=False) as parquet:
                yield file, parquet
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno:
                raise  # the disk's fault, not the file's
            remedy = "Write or fetch it again; an encrypted file must be decrypted first."
            raise DataError(
                [Fault(path, f"cannot be read as Parquet: {' '.join(str(error).split()).rstrip('.')}", None, remedy)]
            ) from error


def _with_keys(batch: pa.RecordBatch, schema: pa.Schema, keys: dict[str, pa.Scalar]) -> pa.RecordBatch:
    columns = [
        pa.repeat(keys[field.name], batch.num_rows) if field.name in keys else batch.column(field.name)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _keys(root: str, paths: list[str]) -> dict[str, pa.Array]:
    """Return each partition key with one value per file, its type found as in a CSV column."""
    rows = [_key_values(path) for path in paths]
    for path, row in zip(paths, rows, strict=True):
        if list(row) != list(rows[0]):
            rule = f"lies in folders {list(row)}, and '{paths[0]}' in {list(rows[0])}"
            raise DataError([Fault(path, rule, None, "Partition all files by the same keys in the same order.")])
    found = {}
    for key in rows[0]:
        values = pa.array([row[key] for row in rows], pa.string())
        column = TextColumn(root, key)
        column.look(values, 1)
        found[key] = parsed(values, column.settle())
    return found


def _key_values(path: str) -> dict[str, str | None]:
    pairs = [part.split("=", 1) for part in PurePosixPath(path).parts[:-1] if "=" in part]
    return {unquote(key): None if value == NO_VALUE else unquote(value) for key, value in pairs}


def _differences(path: str, found: pa.Schema, first_path: str, first: pa.Schema) -> list[Fault]:
    remedy = f"Write all files with the columns and types of '{first_path}'."
    faults = [
        Fault(f"{path}: column '{name}'", f"is missing, and '{first_path}' has it", None, remedy)
        for name in first.names
        if name not in found.names
    ]
    for field in found:
        if field.name not in first.names:
            faults.append(Fault(f"{path}: column '{field.name}'", f"is not in '{first_path}'", None, remedy))
        elif first.names.count(field.name) == 1 and not field.type.equals(first.field(field.name).type):
            rule = f"has the type {field.type}, and in '{first_path}' {first.field(field.name).type}"
            faults.append(Fault(f"{path}: column '{field.name}'", rule, None, remedy))
    return faults or [Fault(path, f"has its columns in another order than '{first_path}'", None, remedy)]
