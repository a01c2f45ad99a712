"""Delimited text: comma, tab, semicolon or any other single character."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from goodfit.errors import ConfigurationError, DataError, Fault, suggestion
from goodfit.params import InsidePath
from goodfit.sources.base import SOURCES, Source
from goodfit.sources.dates import DateColumn, parsed_dates
from goodfit.sources.delimited import Dialect, header_of, text_batches
from goodfit.sources.files import SourceFile
from goodfit.sources.kinds import parsed
from goodfit.sources.remote import changed
from goodfit.sources.text import TextColumn
from goodfit.sources.watched import note_if_unwatched
from goodfit.stage import say

MISSING = ("", "NA", "N/A", "n/a", "null", "NULL", "None", "NaN", "nan")


@SOURCES.register("csv")
class Csv(Source):
    """Delimited text in UTF-8, as RFC 4180 has it; also gzip, bzip2, xz, or a zip of one file.

    Every value is read as text; a column gets another type only if all its values have it (`goodfit.sources.text`).
    A blank line is no row, save in a file of one column, where it is a missing value.

    Options:
        path: a file below the project folder, or a URL (s3://, https://, file:///).
        delimiter: the character between values; "\\t" for TSV.
        header: true takes the first line for names even if it looks like data; false says there is none; null decides.
        names: the column names, where the file has no header.
        missing: the values that mean "not known", in every column.
        quotes: false if a quote is a character like any other.
        dates: column to the form of its dates, such as {ordered: "%d/%m/%Y"}, where that is not YYYY-MM-DD.
    """

    def __init__(
        self,
        *,
        path: InsidePath,
        delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ",",
        header: bool | None = None,
        names: list[str] | None = None,
        missing: list[str] = list(MISSING),  # noqa: B006  (only read)
        quotes: bool = True,
        dates: dict[str, str] = {},  # noqa: B006  (only read)
    ) -> None:
        self.place = self.path = path
        self.dialect = Dialect(delimiter, quotes, header, tuple(names) if names else None)
        self.missing = pa.array(missing, pa.string())
        self.dates = dates
        self._digest: str | None = None
        if not delimiter.isascii() or delimiter in '"\r\n':
            remedy = 'Use one ASCII character; "\\t" for a tab.'
            raise ConfigurationError(
                [Fault("params.yaml: source.delimiter", "cannot separate values", delimiter, remedy)]
            )
        if header is False and not names:
            raise ConfigurationError(
                [Fault("params.yaml: source.names", "is missing", None, "Without a header, list the column names.")]
            )

    def read(self) -> pa.RecordBatchReader:
        """Look at all values to find the types, then return the rows.

        Raises: see `Source.read`; DataError names line or row, column and value.
        """
        file = SourceFile(self.path, unpack=True)
        note_if_unwatched(self.path)
        try:
            schema = self._schema(file)
        except BaseException:
            file.close()
            raise
        return pa.RecordBatchReader.from_batches(schema, self._rows(file, schema))

    def fingerprint(self) -> str | None:
        """Return the sha256 of the file."""
        return self._digest

    def _schema(self, file: SourceFile) -> pa.Schema:
        names = header_of(file, self.dialect)
        unknown = [name for name in self.dates if name not in names]
        if unknown:
            place = "params.yaml: source.dates"
            rule = f"'{self.path}' has no such column"
            raise ConfigurationError([Fault(place, rule, name, suggestion(name, names)) for name in unknown])
        columns = [self._column(file.name, name) for name in names]
        words = [Words(name) for name in names]
        first_row = 1
        with ThreadPoolExecutor() as pool:
            for batch in text_batches(file, self.dialect, len(names)):
                looks = [(columns[i], words[i], batch.column(i), self.missing, first_row) for i in range(len(names))]
                list(pool.map(_look, looks))
                first_row += batch.num_rows
        types = [column.settle() for column in columns]
        for name, kind, found in zip(names, types, words, strict=True):
            found.tell(file.name, name, kind)
        return pa.schema(list(zip(names, types, strict=True)))

    def _column(self, place: str, name: str) -> TextColumn | DateColumn:
        return DateColumn(place, name, self.dates[name]) if name in self.dates else TextColumn(place, name)

    def _rows(self, file: SourceFile, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        with file, ThreadPoolExecutor() as pool:
            try:
                for batch in text_batches(file, self.dialect, len(schema), again=True):
                    jobs = [
                        (batch.column(i), self.missing, field.type, self.dates.get(field.name))
                        for i, field in enumerate(schema)
                    ]
                    yield pa.RecordBatch.from_arrays(list(pool.map(_parse, jobs)), schema=schema)
            except (DataError, pa.ArrowInvalid) as error:
                raise changed(file.name) from error  # the first pass found nothing wrong
            file.unchanged()
            self._digest = file.digest


class Words:
    """How often a word such as NA was taken for a missing value in a column."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: dict[str, int] = {}

    def count(self, found: pa.Array) -> None:
        """Take in the values that were taken for missing ones."""
        for item in pc.value_counts(found).to_pylist():
            if item["values"]:
                self.counts[item["values"]] = self.counts.get(item["values"], 0) + item["counts"]

    def tell(self, place: str, name: str, kind: pa.DataType) -> None:
        """Say it, where the column is text: there the word could have been a value."""
        if self.counts and kind == pa.string():
            listed = ", ".join(f"'{word}' ({count:,})" for word, count in sorted(self.counts.items()))
            say(f"{place}: column '{name}': read as missing: {listed}. Change source.missing if they are values.")


def _look(job: tuple[TextColumn | DateColumn, Words, pa.Array, pa.Array, int]) -> None:
    column, words, values, markers, first_row = job
    missing = pc.is_in(values, markers)
    if missing.true_count:
        words.count(values.filter(missing))
    column.look(_blanked(values, missing), first_row)


def _parse(job: tuple[pa.Array, pa.Array, pa.DataType, str | None]) -> pa.Array:
    values, markers, kind, form = job
    values = _blanked(values, pc.is_in(values, markers))
    return parsed_dates(values, form).cast(kind) if form else parsed(values, kind)


def _blanked(values: pa.Array, missing: pa.Array) -> pa.Array:
    return pc.if_else(missing, pa.scalar(None, pa.string()), values) if missing.true_count else values
