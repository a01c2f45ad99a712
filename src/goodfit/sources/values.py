"""Rows of Python values, from JSON, workbooks and databases, into Arrow columns whose types are found on all rows.

What may stand together in a column: integers and fractions (all become float64, if each integer stays exact), integers
of any size up to 64 bits, decimals with those; text; truth values; dates; times with, or without, a zone. Nothing else
is mixed: 1 and "1" are different values, and no rule says which one was meant.
"""

import datetime
import decimal
import ipaddress
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import pyarrow as pa

from goodfit.errors import DataError, Fault
from goodfit.sources.kinds import EXACT
from goodfit.sources.names import check_names
from goodfit.sources.normal import normalised
from goodfit.sources.scratch import scratch

CHUNK = 10_000
"""Rows that are held as Python values."""
AS_TEXT = (uuid.UUID, ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network)
KINDS: dict[type, str] = {
    bool: "a truth value",
    int: "a number",
    float: "a number",
    decimal.Decimal: "a number",
    str: "text",
    datetime.datetime: "a time",
    datetime.date: "a date",
    datetime.time: "a time of day",
}
LARGEST = 2**64 - 1


class Unfit(ValueError):
    """A number that cannot stand beside the others."""

    def __init__(self, value: object, rule: str) -> None:
        self.value, self.rule = value, rule
        super().__init__(rule)


class Spool:
    """Columns on their way: chunks with the types of their own values, kept in a nameless file until all are known.

    A context: what fails inside closes the file; after that, reading the last row does.

    Args:
        place: the file or query, for messages.
        remedy: the way out where values cannot stand together.
        row_word: what a row is called there: "row", "line".
    """

    def __init__(self, place: str, remedy: str, row_word: str = "row") -> None:
        self._place, self._remedy, self._row_word = place, remedy, row_word
        self._file: IO[bytes] = scratch()
        self._types: dict[str, set[pa.DataType]] = {}
        self._kinds: dict[str, str] = {}
        self._numbers: Sequence[int] = ()

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind:
            self._file.close()

    def add(self, numbers: Sequence[int], names: Sequence[str], columns: Sequence[Sequence[Any]]) -> list[pa.Array]:
        """Take in the next rows, as one sequence of values per column; return them as Arrow arrays.

        Args:
            numbers: how the source numbers these rows.
            names: of the columns.
            columns: their values, Python's.

        Raises:
            DataError: a value of a kind that the column did not have so far, or that no column may have.
        """
        self._numbers = numbers
        arrays = [self._array(name, values) for name, values in zip(names, columns, strict=True)]
        batch = pa.RecordBatch.from_arrays(arrays, names=list(names))
        with pa.ipc.new_stream(self._file, batch.schema) as writer:
            writer.write_batch(batch)
        for name, values in zip(names, arrays, strict=True):
            self._types.setdefault(name, set()).add(values.type)
        return arrays

    def reader(self, order: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """Return all rows with the types that hold for all of them; to be called once."""
        names = check_names(self._place, list(order or self._types))
        schema = pa.schema([(name, self._type(name)) for name in names])
        if not names:
            self._file.close()  # nobody will read a row
        return normalised(self._place, schema, self._batches(schema), self._remedy)

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        with self._file as file:
            end = file.tell()
            file.seek(0)
            while file.tell() < end:
                with pa.ipc.open_stream(file) as stream:
                    yield from (self._cast(batch, schema) for batch in stream)

    def _cast(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        columns = []
        for field in schema:
            if field.name not in batch.schema.names:
                columns.append(pa.nulls(batch.num_rows, field.type))
                continue
            try:
                columns.append(batch.column(field.name).cast(field.type))
            except pa.ArrowInvalid as error:
                rule = f"holds numbers that cannot stand together without changing one: {error}"
                raise DataError([Fault(f"{self._place}: column '{field.name}'", rule, None, self._remedy)]) from error
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _type(self, name: str) -> pa.DataType:
        types = self._types.get(name, set()) - {pa.null()}
        if len(types) <= 1:
            return next(iter(types), pa.null())
        if pa.float64() in types:
            return pa.float64()
        return pa.uint64() if types == {pa.int64(), pa.uint64()} else next(iter(types))

    def _array(self, name: str, values: Sequence[Any]) -> pa.Array:
        found = set(map(type, values)) - {type(None)}
        self._refuse_mixture(name, values, found)
        if not found:
            return pa.nulls(len(values))
        if found & set(AS_TEXT) or datetime.time in found:
            return pa.array([None if value is None else str(value) for value in values], pa.string())
        try:
            return _numbers(values, found) if found & {int, float, decimal.Decimal} else _others(values, found)
        except Unfit as error:
            place = self._where(values.index(error.value), name)
            raise DataError([Fault(place, error.rule, error.value, self._remedy)]) from error
        except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
            rule = f"cannot be stored: {error}"
            raise DataError([Fault(f"{self._place}: column '{name}'", rule, None, self._remedy)]) from error

    def _refuse_mixture(self, name: str, values: Sequence[Any], found: set[type]) -> None:
        kinds = {_kind(kind) for kind in found}
        expected = self._kinds.setdefault(name, next(_kind(type(v)) for v in values if v is not None)) if found else ""
        if kinds <= {expected} and all(kind in KINDS or kind in AS_TEXT for kind in found):
            return
        index = next(i for i, v in enumerate(values) if v is not None and (_kind(type(v)) != expected or not _known(v)))
        value = values[index]
        if _known(value):
            rule = f"is {_kind(type(value))} in a column that began with {expected}"
        else:
            rule = f"is of the type {type(value).__name__}, which no column may hold"
        raise DataError([Fault(self._where(index, name), rule, value, self._remedy)])

    def _where(self, index: int, name: str) -> str:
        return f"{self._place}: {self._row_word} {self._numbers[index]}, column '{name}'"


def _kind(kind: type) -> str:
    return "text" if kind in AS_TEXT else KINDS.get(kind, kind.__name__)


def _known(value: Any) -> bool:
    return type(value) in KINDS or type(value) in AS_TEXT


def _numbers(values: Sequence[Any], found: set[type]) -> pa.Array:
    """Return int64 or uint64 where all are whole, else float64, each whole number among them exact."""
    if decimal.Decimal in found:
        values = [_plain(value) for value in values]
        found = {type(value) for value in values if value is not None}
    if float in found:
        if int in found:
            values = [_exact(value) if isinstance(value, int) else value for value in values]
        return pa.array(values, pa.float64())
    whole = [value for value in values if value is not None]
    low, high = min(whole), max(whole)
    if high > LARGEST or low < -(2**63):
        raise Unfit(high if high > LARGEST else low, "is too large for 64 bits")
    if high < 2**63:
        return pa.array(values, pa.int64())
    if low < 0:
        raise Unfit(high, f"needs the unsigned 64 bits that negative numbers, such as {low}, cannot share")
    return pa.array(values, pa.uint64())


def _plain(value: Any) -> Any:
    if not isinstance(value, decimal.Decimal):
        return value
    return int(value) if value.is_finite() and value.as_tuple().exponent >= 0 else float(value)  # type: ignore[operator]


def _exact(value: int) -> float:
    if abs(value) > EXACT and (value.bit_length() > 1000 or int(float(value)) != value):
        raise Unfit(value, "would lose digits beside the fractions of its column")
    return float(value)


def _others(values: Sequence[Any], found: set[type]) -> pa.Array:
    if found == {str}:
        return pa.array(values, pa.string())
    if datetime.datetime not in found:
        return pa.array(values)
    zoned = [value.tzinfo is not None for value in values if value is not None]
    if any(zoned) and not all(zoned):
        raise pa.ArrowInvalid("times with and without a zone stand in one column")
    return pa.array(values, pa.timestamp("us", "UTC") if any(zoned) else pa.timestamp("us"))


def in_chunks(rows: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """Yield lists of at most `size` rows."""
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
