"""Parse delimited text into batches of text, every fault named by its line."""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pc_csv

from goodfit.errors import DataError, Fault
from goodfit.sources.files import SourceFile
from goodfit.sources.kinds import fitting
from goodfit.sources.names import check_names
from goodfit.sources.scan import BOM, Scanner, not_utf8

BLOCK = 1 << 22
"""Bytes that are parsed at a time."""
WIDE_BLOCK = 1 << 24
"""The same where there are many columns, so that a block still holds many rows."""
WIDE = 500
NAMES = "Name every column in the first line, or set source.header to false and list source.names."


@dataclass(frozen=True)
class Dialect:
    """How the text is delimited; see the options of the csv source."""

    delimiter: str
    quotes: bool
    header: bool | None
    names: tuple[str, ...] | None

    @property
    def has_header(self) -> bool:
        """Whether the first line holds names."""
        return self.header if self.header is not None else self.names is None


def header_of(file: SourceFile, dialect: Dialect) -> list[str]:
    """Return the column names.

    Raises:
        DataError: an empty file, names that are missing or repeated, a first line of data, another delimiter.
    """
    first = _first_row(file, dialect)
    if dialect.names and len(dialect.names) != len(first):
        rule = f"source.names lists {len(dialect.names)} names, and the first line has {len(first)} values"
        raise DataError([Fault(file.name, rule, dialect.delimiter.join(first), "List one name for each value.")])
    _check_delimiter(file.name, dialect, first)
    names = check_names(f"{file.name}: line 1", dialect.names or first, NAMES)
    if dialect.has_header and dialect.header is None:
        _check_header(file.name, names)
    return names


def text_batches(file: SourceFile, dialect: Dialect, width: int, *, again: bool = False) -> Iterator[pa.RecordBatch]:
    """Yield the rows below the header as batches of text columns.

    Args:
        file: to read from its start.
        dialect: how it is delimited.
        width: how many columns the header has.
        again: the bytes have been looked at before, so that the parser alone will do.

    Raises:
        DataError: a row with more or fewer values, a stray quote, a NUL byte, what is not UTF-8, an endless row.
    """
    stream = file.stream()
    scanner = stream if again else Scanner(file.name, stream, dialect.delimiter, quotes=dialect.quotes)
    try:
        reader = _reader(scanner, dialect, width)
        skip = dialect.has_header
        for batch in reader:
            yield batch.slice(1) if skip else batch
            skip = skip and not batch.num_rows
    except pa.ArrowInvalid as error:
        raise getattr(scanner, "fault", None) or diagnosis(file, dialect, width, str(error)) from error
    finally:
        scanner.close()


def _reader(stream: io.RawIOBase, dialect: Dialect, width: int) -> pc_csv.CSVStreamingReader:
    return pc_csv.open_csv(
        stream,
        pc_csv.ReadOptions(autogenerate_column_names=True, block_size=_block(width)),
        pc_csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char='"' if dialect.quotes else False,
            newlines_in_values=dialect.quotes,
            ignore_empty_lines=width > 1,
        ),
        pc_csv.ConvertOptions(
            column_types={f"f{number}": pa.string() for number in range(width)}, strings_can_be_null=False
        ),
    )


def _block(width: int) -> int:
    return WIDE_BLOCK if width > WIDE else BLOCK


def _first_row(file: SourceFile, dialect: Dialect) -> list[str]:
    """Return the values of the first line that is not blank."""
    scanner = Scanner(file.name, file.stream(), dialect.delimiter, quotes=dialect.quotes)
    start = scanner.read(WIDE_BLOCK).removeprefix(BOM)
    scanner.close()
    rows = _python_rows(_as_text(io.BytesIO(start)), dialect)
    try:
        row: list[str] | None = next((row for row in rows if row), None)
    except csv.Error as error:
        raise _too_long(file.name, 1, WIDE_BLOCK) from error
    if row is None:
        remedy = "Name a file with a header and at least one row."
        raise DataError([Fault(file.name, "is empty" if not start else "holds blank lines only", None, remedy)])
    return row


def _as_text(stream: IO[bytes]) -> io.TextIOWrapper:
    return io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline="")


def _python_rows(text: io.TextIOWrapper, dialect: Dialect) -> Any:
    csv.field_size_limit(sys.maxsize)
    if dialect.quotes:
        return csv.reader(text, delimiter=dialect.delimiter)
    return csv.reader(text, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)


def _check_delimiter(name: str, dialect: Dialect, first: Sequence[str]) -> None:
    if len(first) > 1:
        return
    for other, written in ((";", "';'"), ("\t", '"\\t"'), ("|", "'|'"), (",", "','")):
        if other in first[0] and other != dialect.delimiter:
            rule = f"has a single column, whose name holds the delimiter {written}"
            raise DataError([Fault(f"{name}: line 1", rule, first[0], f"Set source.delimiter to {written}.")])


def _check_header(name: str, names: Sequence[str]) -> None:
    for number, text in enumerate(names, 1):
        if text.strip(" -.")[:1].isdigit() and fitting(pa.array([text]), frozenset({"int64", "float64", "date"})):
            rule = "is a number or a date: the file seems to have no header"
            remedy = "Set source.header to true if this is its name, or to false and list source.names."
            raise DataError([Fault(f"{name}: line 1, column {number}", rule, text, remedy)])


def diagnosis(file: SourceFile, dialect: Dialect, width: int, message: str) -> DataError:
    """Find, by a slow second look, the line that the fast parser stumbled over."""
    if "UTF8" in message:
        return not_utf8(file.name, file.stream())
    if "straddl" in message:
        return _too_long(file.name, _longest_line(file), _block(width))
    with _as_text(io.BufferedReader(file.stream())) as text:
        rows = _python_rows(text, dialect)
        for row in rows:
            if row and len(row) != width:
                return _wrong_width(file.name, rows.line_num, row, width, dialect)
    return DataError([Fault(file.name, f"cannot be parsed: {message}", None, "Open it in an editor and look.")])


def _wrong_width(name: str, line: int, row: list[str], width: int, dialect: Dialect) -> DataError:
    text = dialect.delimiter.join(row)
    if text == "\x1a":
        rule, remedy = "is a Ctrl-Z, the end-of-file mark of DOS", "Remove that last character."
    elif len(row) > width:
        rule = f"has more values than the {width} names of the header"
        remedy = "Name the last column, or put values that hold the delimiter in quotes."
    else:
        rule = f"has fewer values than the {width} names of the header"
        remedy = "Write an empty value for what is missing."
    return DataError([Fault(f"{name}: line {line}", rule, text, remedy)])


def _longest_line(file: SourceFile) -> int:
    number, longest, size = 1, 1, 0
    with io.BufferedReader(file.stream()) as stream:
        while part := stream.readline(WIDE_BLOCK):
            if len(part) > size:
                longest, size = number, len(part)
            number += part.endswith(b"\n")
    return longest


def _too_long(name: str, line: int, limit: int) -> DataError:
    rule = f"a row is longer than {limit:,} bytes"
    remedy = "Look for a quote that is not closed; keep long texts and pictures in files and their paths in the table."
    return DataError([Fault(f"{name}: line {line}", rule, None, remedy)])
