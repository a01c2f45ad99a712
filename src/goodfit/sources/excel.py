"""Excel workbooks (.xlsx, .xlsm): one sheet, the first row names the columns."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from goodfit.errors import DataError, Fault
from goodfit.params import InsidePath
from goodfit.sources.base import SOURCES, Source
from goodfit.sources.files import SourceFile
from goodfit.sources.names import check_names
from goodfit.sources.values import Spool, in_chunks
from goodfit.sources.watched import note_if_unwatched
from goodfit.sources.workbook import formulas_in, refuse_uncomputed, sheet_of, workbook

REMEDY = "Give the column cells of one kind, or format the whole column as text."


@SOURCES.register("excel")
class Excel(Source):
    """One sheet of an Excel workbook; formulas count by the value that Excel saved with them.

    Cells have the type Excel gives them: a number formatted as text stays text ("00501"), a column whose times are all
    midnight becomes dates. Empty rows are no rows.

    Options:
        path: a .xlsx file below the project folder, or a URL (s3://, https://, file:///).
        sheet: the name of the sheet; null takes the only one, and refuses to choose among several.
    """

    def __init__(self, *, path: InsidePath, sheet: str | None = None) -> None:
        self.place = self.path = path
        self.sheet = sheet
        self._digest: str | None = None

    def read(self) -> pa.RecordBatchReader:
        """Read all rows, keep them in a nameless file, and return them with the types that hold for all.

        Raises: see `Source.read`; DataError names row, column and value.
        """
        with SourceFile(self.path) as file, Spool(self.path, REMEDY) as spool:
            note_if_unwatched(self.path)
            names, midnight = self._fill(spool, file)
            file.unchanged()
            self._digest = file.digest
            return _with_dates(spool.reader(names), midnight)

    def fingerprint(self) -> str | None:
        """Return the sha256 of the workbook."""
        return self._digest

    def _fill(self, spool: Spool, file: SourceFile) -> tuple[list[str], set[str]]:
        rows = _cells(file, self.sheet)
        number, header = next(rows, (1, []))
        names = check_names(f"{self.path}: row {number}", header, "Name every column in the first row.")
        midnight = set(names)
        for chunk in in_chunks(_padded(self.path, rows, len(names))):
            numbers, values = zip(*chunk, strict=True)
            arrays = spool.add(numbers, names, list(zip(*values, strict=True)))
            midnight -= {name for name, array in zip(names, arrays, strict=True) if not _is_midnight(array)}
        return names, midnight


def _with_dates(reader: pa.RecordBatchReader, midnight: set[str]) -> pa.RecordBatchReader:
    """Make dates of the columns whose times are all midnight: a workbook does not tell the two apart."""
    fields = [
        pa.field(field.name, pa.date32()) if field.name in midnight and pa.types.is_timestamp(field.type) else field
        for field in reader.schema
    ]
    schema = pa.schema(fields)
    return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in reader))


def _is_midnight(values: pa.Array) -> bool:
    if not pa.types.is_timestamp(values.type):
        return bool(pa.types.is_null(values.type))
    return bool(pc.all(pc.equal(pc.floor_temporal(values, unit="day"), values)).as_py() in (True, None))


def _cells(file: SourceFile, sheet: str | None) -> Iterator[tuple[int, list[Any]]]:
    """Yield number and values of each row that is not empty, without the empty cells at its end."""
    with workbook(file, data_only=True) as book:
        name = sheet_of(file.name, book, sheet)
        formulas = formulas_in(file, name)
        page = book[name]
        page.reset_dimensions()
        for number, row in enumerate(page.iter_rows(), 1):
            values = [_value(file.name, number, cell) for cell in row]
            while values and values[-1] is None:
                values.pop()
            refuse_uncomputed(file.name, number, values, next(formulas, ()))
            if values:
                yield number, values


def _value(name: str, number: int, cell: Any) -> Any:
    value = cell.value
    if cell.data_type == "e":
        remedy = "Correct its formula, or clear the cell if the value is unknown."
        raise DataError([Fault(f"{name}: row {number}, cell {cell.coordinate}", "holds an error", value, remedy)])
    return None if value == "" else value


def _padded(name: str, rows: Iterator[tuple[int, list[Any]]], width: int) -> Iterator[tuple[int, list[Any]]]:
    for number, values in rows:
        if len(values) > width:
            rule = f"has a value to the right of the {width} named columns"
            remedy = "Name its column in the first row, or clear it."
            raise DataError([Fault(f"{name}: row {number}", rule, values[-1], remedy)])
        yield number, values + [None] * (width - len(values))
