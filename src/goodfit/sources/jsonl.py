"""JSON Lines: one object per line."""

import io
import json
from collections.abc import Iterator
from typing import Any, NoReturn

import pyarrow as pa

from goodfit.errors import DataError, Fault, printable
from goodfit.params import InsidePath
from goodfit.sources.base import SOURCES, Source
from goodfit.sources.files import SourceFile
from goodfit.sources.kinds import DATES
from goodfit.sources.scan import BOM, Scanner
from goodfit.sources.text import TextColumn, with_types
from goodfit.sources.values import Spool, in_chunks
from goodfit.sources.watched import note_if_unwatched

LONGEST_LINE = 1 << 24
"""Bytes a line may have; more is no row of a table."""
REMEDY = "Give the column values of one kind; write whole numbers above 64 bits as text, and nested values as columns."


class Repeated(ValueError):
    """A key stands twice in one object."""


@SOURCES.register("jsonl")
class JsonLines(Source):
    """JSON Lines in UTF-8; also gzip, bzip2, xz, or a zip of one file.

    A column has the JSON type of its values: "12" is text and 12 a number. Text that is a date or a time in every row
    (see the csv source) becomes one, because JSON has none. A key that an object lacks is a missing value. Keys become
    columns in the order in which they first appear.

    Options:
        path: a file below the project folder, or a URL (s3://, https://, file:///).
    """

    def __init__(self, *, path: InsidePath) -> None:
        self.place = self.path = path
        self._digest: str | None = None

    def read(self) -> pa.RecordBatchReader:
        """Parse all lines, keep them in a nameless file, and return them with the types that hold for all.

        Raises: see `Source.read`; DataError names line, key and value.
        """
        dates: dict[str, TextColumn] = {}
        with SourceFile(self.path, unpack=True) as file, Spool(self.path, REMEDY, "line") as spool:
            note_if_unwatched(self.path)
            for chunk in in_chunks(_objects(file)):
                numbers, rows = zip(*chunk, strict=True)
                names = list(dict.fromkeys(name for row in rows for name in row))
                arrays = spool.add(numbers, names, [[row.get(name) for row in rows] for name in names])
                for name, values in zip(names, arrays, strict=True):
                    if pa.types.is_string(values.type):
                        dates.setdefault(name, TextColumn(self.path, name, DATES)).look(values, numbers[0])
            file.unchanged()
            self._digest = file.digest
            reader = spool.reader()
        return with_types(reader, {name: column.settle() for name, column in dates.items()})

    def fingerprint(self) -> str | None:
        """Return the sha256 of the file."""
        return self._digest


def _objects(file: SourceFile) -> Iterator[tuple[int, dict[str, Any]]]:
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)
    for number, line in _lines(file):
        try:
            value = decoder.decode(line.decode())
        except UnicodeDecodeError as error:
            raise _wrong(file, number, "is not UTF-8", line, "Save it as UTF-8.") from error
        except Repeated as error:
            raise _wrong(file, number, f"has the key '{error}' twice", None, "Keep one of them.") from error
        except RecursionError as error:
            raise _wrong(file, number, "is nested too deeply for a row of a table", line, REMEDY) from error
        except ValueError as error:
            raise _wrong(file, number, f"is not valid JSON: {error}", line, "Write one JSON object a line.") from error
        if not isinstance(value, dict):
            raise _wrong(file, number, "is no JSON object", line, 'Write each row as {"column": value}.')
        yield number, value


def _lines(file: SourceFile) -> Iterator[tuple[int, bytes]]:
    scanner = Scanner(file.name, file.stream(), "", quotes=False)
    with io.BufferedReader(scanner, 1 << 20) as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise _wrong(
                    file, number, f"is longer than {LONGEST_LINE:,} bytes", None, "A row of a table is shorter."
                )
            line = line.removeprefix(BOM) if number == 1 else line
            if line.strip():
                yield number, line


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise Repeated(next(name for name in names if names.count(name) > 1))
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number; write null for a missing value")


def _wrong(file: SourceFile, number: int, rule: str, line: bytes | None, remedy: str) -> DataError:
    value = None if line is None else line.decode(errors="replace").strip()
    return DataError([Fault(f"{file.name}: line {number}", printable(rule), value, remedy)])
