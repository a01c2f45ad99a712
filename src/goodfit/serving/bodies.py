"""The body of a request as rows: strict JSON, strict types, every fault named; nothing of it is trusted."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import pandas as pd
import pyarrow as pa

from goodfit.bundle import Bundle
from goodfit.data import Column
from goodfit.errors import DataError, Fault, suggestion
from goodfit.serving.cells import typed

MOST_ROWS = 10_000
MOST_FAULTS = 20
FORM = 'Send {"rows": [{"<column>": <value>, ...}, ...]}.'
KINDS = {"numeric": "a number", "boolean": "true or false", "datetime": "a date or time as ISO 8601 text"}
ARROW = {"numeric": pa.float64(), "boolean": pa.float64(), "datetime": pa.string()}


def rows_in(body: bytes) -> list[dict[str, Any]]:
    """Return the rows of a body.

    Raises:
        DataError: no JSON, NaN or infinity, a key twice, nesting without end, another form, no row, or too many.
    """
    try:
        tree = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _wrong("body", f"is not JSON that can be read: {type(error).__name__}: {error}") from error
    if not isinstance(tree, dict) or set(tree) != {"rows"} or not isinstance(tree["rows"], list):
        raise _wrong("body", "must hold rows and nothing else")
    rows: list[dict[str, Any]] = tree["rows"]
    if not 0 < len(rows) <= MOST_ROWS:
        raise _wrong("rows", f"must be 1 to {MOST_ROWS:,}, and are {len(rows):,}")
    if any(not isinstance(row, dict) for row in rows):
        raise _wrong("rows", "must each be an object of column to value")
    return rows


def frame_of(rows: Sequence[Mapping[str, Any]], bundle: Bundle) -> pd.DataFrame:
    """Return rows as the model takes them.

    Raises:
        DataError: with the first faults: columns that are missing or unknown, values of another type.
    """
    columns = {column.name: column for column in bundle.schema.columns if column.role != "target"}
    needed = bundle.preprocessor.columns
    faults = [fault for number, row in enumerate(rows) for fault in _name_faults(number, row, columns, needed)]
    levels = {column.column: frozenset(column.levels) for column in bundle.preprocessor.coded}
    values: dict[str, pd.Series] = {}
    for name in needed if not faults else ():
        cells = [row[name] for row in rows]
        wrong = [number for number, cell in enumerate(cells) if not _fits(columns[name], cell)]
        if not wrong:
            found = typed(columns[name], _cells(columns[name], cells), levels.get(name, frozenset()))
            wrong = found.misfits.nonzero()[0].tolist()
            values[name] = found.values
        faults += [_value_fault(number, columns[name], cells[number]) for number in wrong[:MOST_FAULTS]]
    if faults:
        raise DataError(faults[:MOST_FAULTS])
    return pd.DataFrame(values)


def _name_faults(
    number: int, row: Mapping[str, Any], known: Mapping[str, Column], needed: Sequence[str]
) -> Iterator[Fault]:
    for name in needed:
        if name not in row:
            yield Fault(f"rows[{number}].{name}", "is missing", None, "Write null for a value that is not known.")
    for name in row:
        if name not in known:
            yield Fault(f"rows[{number}].{name[:80]}", "is no column of the model", None, _near(name, known))


def _near(name: str, known: Mapping[str, Column]) -> str:
    return suggestion(name[:80], known).split("Known:")[0].strip() or "GET /metadata lists the columns."


def _fits(column: Column, cell: Any) -> bool:
    if cell is None:
        return True
    if column.type == "datetime":
        return _text_that_can_be_written(cell)
    if column.type == "categorical":
        return _text_that_can_be_written(cell) or _finite(cell)
    return _finite(cell) and (column.type == "boolean" or not isinstance(cell, bool))


def _text_that_can_be_written(cell: Any) -> bool:
    """JSON can spell half of a surrogate pair, which is no character."""
    return isinstance(cell, str) and not any("\ud800" <= letter <= "\udfff" for letter in cell)


def _finite(cell: Any) -> bool:
    try:
        return isinstance(cell, bool | int | float) and math.isfinite(cell)
    except OverflowError:  # a whole number beyond every float
        return False


def _cells(column: Column, cells: list[Any]) -> pa.Array:
    if column.type == "categorical":
        return pa.array([_text(cell) for cell in cells], pa.string())
    kind = ARROW[column.type]
    return pa.array([cell if cell is None or kind == pa.string() else float(cell) for cell in cells], kind)


def _text(cell: Any) -> str | None:
    return cell if cell is None or isinstance(cell, str) else str(cell)


def _value_fault(number: int, column: Column, cell: Any) -> Fault:
    return Fault(f"rows[{number}].{column.name}", f"must be {KINDS.get(column.type, 'text')} or null", cell)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise ValueError("a key stands there twice")
    return tree


def _wrong(place: str, rule: str) -> DataError:
    return DataError([Fault(place, rule, None, FORM)])
