"""Open a workbook safely: damaged, encrypted and exploding ones are refused, formulas without a value are found."""

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

from goodfit.errors import ConfigurationError, DataError, Fault, suggestion
from goodfit.sources.files import SourceFile
from goodfit.sources.packed import check_ratio

OLD = b"\xd0\xcf\x11\xe0"


@contextmanager
def workbook(file: SourceFile, *, data_only: bool) -> Iterator[Any]:
    """Yield the workbook for reading, with the saved values of formulas or the formulas themselves."""
    import openpyxl  # takes a while

    _check(file)
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # what openpyxl cannot keep on saving
            book = openpyxl.load_workbook(file.stream(), read_only=True, data_only=data_only, keep_links=False)
    except Exception as error:  # whatever a damaged archive makes of the parser
        raise _unreadable(file.name, error) from error
    try:
        yield book
    except (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, ValueError, KeyError) as error:
        raise _unreadable(file.name, error) from error
    finally:
        book.close()


def _check(file: SourceFile) -> None:
    start = file.stream().read(8)
    if start.startswith(OLD):
        remedy = "Save it as .xlsx without a password."
        raise DataError([Fault(file.name, "is an old or an encrypted Excel workbook", None, remedy)])
    try:
        with zipfile.ZipFile(file.stream()) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _unreadable(file.name, error) from error
    check_ratio(file.name, unpacked, file.size)


def sheet_of(name: str, book: Any, sheet: str | None) -> str:
    """Return the name of the sheet to read; among several one must have been chosen."""
    place = "params.yaml: source.sheet"
    if sheet is None and len(book.sheetnames) == 1:
        return str(book.sheetnames[0])
    if sheet is None:
        rule = f"'{name}' has {len(book.sheetnames)} sheets, and none is chosen"
        raise ConfigurationError([Fault(place, rule, None, f"Name one: {', '.join(book.sheetnames)}.")])
    if sheet not in book.sheetnames:
        raise ConfigurationError(
            [Fault(place, f"'{name}' has no such sheet", sheet, suggestion(sheet, book.sheetnames))]
        )
    return sheet


def _unreadable(name: str, error: Exception) -> DataError:
    remedy = "Open it in Excel or LibreOffice and save it again as .xlsx."
    return DataError([Fault(name, f"cannot be read as an Excel workbook: {error}", None, remedy)])


def formulas_in(file: SourceFile, sheet: str) -> Iterator[list[bool]]:
    """Yield for each row which cells hold formulas; nothing for a workbook without any, to be twice as fast."""
    with zipfile.ZipFile(file.stream()) as archive:
        pages = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        if not any(_holds_formula(archive, page) for page in pages):
            return
    with workbook(file, data_only=False) as book:
        page = book[sheet]
        page.reset_dimensions()
        for row in page.iter_rows():
            yield [cell.data_type == "f" for cell in row]


def _holds_formula(archive: zipfile.ZipFile, page: str) -> bool:
    tail = b""
    with archive.open(page) as stream:
        while chunk := stream.read(1 << 20):
            if b"<f>" in tail + chunk or b"<f " in tail + chunk:
                return True
            tail = chunk[-3:]
    return False


def refuse_uncomputed(name: str, number: int, values: Sequence[Any], formulas: Sequence[bool]) -> None:
    """Raise DataError for a formula whose value is not in the file; it would be read as a missing value."""
    from openpyxl.utils import get_column_letter

    for column, is_formula in enumerate(formulas):
        if is_formula and (column >= len(values) or values[column] is None):
            place = f"{name}: row {number}, cell {get_column_letter(column + 1)}{number}"
            remedy = "Open the workbook in Excel or LibreOffice and save it, so that its formulas are computed."
            raise DataError([Fault(place, "holds a formula whose value was never saved", None, remedy)])
