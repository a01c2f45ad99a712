"""A file of rows to be answered, in chunks of a fixed size: Parquet, or CSV as the project's csv source reads it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goodfit.bundle import ROWS_AT_ONCE
from goodfit.errors import ConfigurationError, DataError, Fault
from goodfit.sources.csv import MISSING
from goodfit.sources.delimited import Dialect, header_of, text_batches
from goodfit.sources.files import SourceFile
from goodfit.sources.names import check_names

CHUNK, CELLS = 3 << 16, 1 << 22
"""Most rows of a chunk, and about its most cells. Many, because Great Expectations takes 35 ms of each whatever its
size; few enough that four cores with a suite of seven rules stay below 1.5 GB."""
TEXT = {".csv": ",", ".tsv": "\t", ".txt": ","}
PACKED = (".gz", ".bz2", ".xz", ".zip")
PARQUET = (".parquet", ".parq", ".pq")


@dataclass(frozen=True)
class TextForm:
    """How delimited text is to be read, where the project's source says so.

    Args:
        delimiter: None for the one that the file's name stands for.
        quotes, header, names: see `Dialect`.
        missing: the values that mean "not known".
        dates: column to the form of its dates.
    """

    delimiter: str | None = None
    quotes: bool = True
    header: bool | None = None
    names: tuple[str, ...] | None = None
    missing: tuple[str, ...] = MISSING
    dates: dict[str, str] = field(default_factory=dict)


class RowsFile:
    """An open file of rows.

    Args:
        path: of the file.
        form: how text is read.

    Attributes:
        names: of the columns, in the file's order.
        rows: how many there are, None where only reading tells.

    Raises:
        ConfigurationError: no such file, or no known kind.
        DataError: it cannot be read.
    """

    def __init__(self, path: Path, form: TextForm) -> None:
        self.path, self.form = path, form
        self.text = not is_parquet(path, "INPUT")
        if not path.is_file():
            raise ConfigurationError(
                [Fault("INPUT", "there is no such file", str(path), "Name a CSV or Parquet file.")]
            )
        self._file = SourceFile(str(path), unpack=self.text, digested=False)
        self.rows: int | None = None
        self._coded: list[str] = []
        try:
            self.names = self._text_names() if self.text else self._parquet_names()
        except BaseException:
            self.close()
            raise

    def chunks(self) -> Iterator[pa.Table]:
        """Yield `at_once` rows at a time, the last time what is left, and at least once; cells of CSV are text.

        Raises:
            DataError: the file is damaged, or changes while it is read.
        """
        if self.text:
            yield from in_chunks(self._text_batches(), self.schema, self.at_once)
        else:
            reader = self._opened()
            yield from in_chunks(self._parquet_batches(reader), reader.schema_arrow, self.at_once)
        self._file.unchanged()

    def code(self, names: Iterable[str]) -> None:
        """Read these columns of text as codes and distinct values, as Parquet keeps them: a quarter of the time."""
        if not self.text:
            kinds = {field.name: field.type for field in self.schema}
            self._coded = [n for n in names if pa.types.is_string(kinds[n]) or pa.types.is_large_string(kinds[n])]

    def decoded(self, rows: pa.Table) -> pa.Table:
        """Return rows of `chunks` with the types of the file."""
        return rows.cast(self.schema) if self._coded else rows

    @property
    def at_once(self) -> int:
        """Rows of a chunk: fewer of a wide table; a multiple of what a bundle takes, so that chunks change no bit."""
        parts = CELLS // max(len(self.names), 1) // ROWS_AT_ONCE
        return min(CHUNK, max(parts, 1) * ROWS_AT_ONCE)

    @property
    def schema(self) -> pa.Schema:
        """The columns as `chunks` yields them, where none is coded."""
        return pa.schema([(name, pa.string()) for name in self.names]) if self.text else self._schema

    def cells(self, chunk: pa.Table, name: str) -> pa.Array:
        """Return the cells of one column, null where the text stands for a missing value."""
        values = chunk.column(name).combine_chunks()
        values = values.chunk(0) if isinstance(values, pa.ChunkedArray) and values.num_chunks else values
        if not self.text:
            return values
        missing = pc.is_in(values, pa.array(self.form.missing, pa.string()))
        return pc.if_else(missing, pa.scalar(None, pa.string()), values)

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def _text_names(self) -> list[str]:
        suffixes = [suffix.lower() for suffix in self.path.suffixes]
        kind = next((suffix for suffix in reversed(suffixes) if suffix in TEXT), ".csv")
        delimiter = self.form.delimiter or TEXT[kind]
        self._dialect = Dialect(delimiter, self.form.quotes, self.form.header, self.form.names)
        return header_of(self._file, self._dialect)

    def _parquet_names(self) -> list[str]:
        found = self._opened()
        self._schema: pa.Schema = found.schema_arrow
        self.rows = found.metadata.num_rows
        return check_names(str(self.path), self._schema.names)

    def _opened(self) -> pq.ParquetFile:
        options = {"coerce_int96_timestamp_unit": "us", "pre_buffer": False}
        try:
            return pq.ParquetFile(self._file.stream(), read_dictionary=self._coded, **options)
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    def _text_batches(self) -> Iterator[pa.RecordBatch]:
        for batch in text_batches(self._file, self._dialect, len(self.names)):
            yield pa.RecordBatch.from_arrays(batch.columns, schema=self.schema)

    def _parquet_batches(self, reader: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
        try:
            yield from reader.iter_batches(self.at_once, use_threads=False)  # the cores have chunks to answer
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> DataError:
        rule = f"cannot be read as Parquet: {' '.join(str(error).split()).rstrip('.')}"
        return DataError([Fault(str(self.path), rule, None, "Write or fetch it again.")])


def is_parquet(path: Path, argument: str) -> bool:
    """Tell by its name whether a file is Parquet, rather than delimited text.

    Raises:
        ConfigurationError: it is neither.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    last = suffixes[-2] if len(suffixes) > 1 and suffixes[-1] in PACKED else suffixes[-1] if suffixes else ""
    if last in PARQUET:
        return True
    if last not in TEXT or (argument == "OUTPUT" and suffixes[-1] in PACKED):
        known = ", ".join((*TEXT, *PARQUET))
        raise ConfigurationError([Fault(argument, "is of no known kind", str(path), f"Its name must end in {known}.")])
    return False


def in_chunks(batches: Iterable[pa.RecordBatch], schema: pa.Schema, size: int) -> Iterator[pa.Table]:
    """Yield the rows of batches in tables of `size` rows; the last one holds what is left."""
    waiting: list[pa.RecordBatch] = []
    count, yielded = 0, False
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= size:
            table = pa.Table.from_batches(waiting, schema)
            yield table.slice(0, size)
            yielded = True
            waiting = table.slice(size).to_batches()
            count -= size
    if count or not yielded:
        yield pa.Table.from_batches(waiting, schema)
