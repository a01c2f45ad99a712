"""The Arrow types that a table may have, and how every other type becomes one of them.

| found | becomes |
| --- | --- |
| int8 to int64, uint8 to uint64, float32, float64, bool, string, date32, timestamp in ms, us or ns | itself |
| float16 | float32 |
| large or view strings | string |
| dictionary of strings | dictionary<int32, string>; of anything else: that type itself |
| decimal without fraction digits | int64, if every value fits |
| decimal with fraction digits | float64, the nearest one |
| timestamp in seconds | timestamp in milliseconds |
| date64 | date32 |
| time of day | string, as HH:MM:SS |
| null (a column without any value) | string |
| list, struct, map, binary, duration, interval | refused |

Infinities are refused wherever they stand; NaN is kept.
"""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from goodfit.errors import DataError, Fault
from goodfit.sources.names import check_names

LABEL = pa.dictionary(pa.int32(), pa.string())


def normalised(place: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], remedy: str) -> pa.RecordBatchReader:
    """Return the batches with every column cast to its normal type.

    Args:
        place: the file, table or data set, as messages name it.
        schema: of the batches.
        batches: read lazily.
        remedy: the way out where a type is refused, such as a cast in the query.

    Raises:
        DataError: a type that has no normal form, a value that its normal form cannot hold, or an infinity.
    """
    check_names(place, schema.names)
    faults = [
        Fault(f"{place}: column '{field.name}'", f"has the type {field.type}, which no table may have", None, remedy)
        for field in schema
        if _normal(field.type) is None
    ]
    if faults:
        raise DataError(faults)
    target = pa.schema([pa.field(field.name, _normal(field.type)) for field in schema])
    return pa.RecordBatchReader.from_batches(target, _cast(place, target, batches, remedy))


def _cast(place: str, target: pa.Schema, batches: Iterable[pa.RecordBatch], remedy: str) -> Iterator[pa.RecordBatch]:
    seen = 0
    for batch in batches:
        columns = [_column(place, field, batch.column(field.name), seen, remedy) for field in target]
        yield pa.RecordBatch.from_arrays(columns, schema=target)
        seen += batch.num_rows


def _normal(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    if types.is_dictionary(kind):
        inner = _normal(kind.value_type)
        return LABEL if inner == pa.string() else inner
    if types.is_decimal(kind):
        return pa.float64() if kind.scale > 0 else pa.int64()
    if types.is_timestamp(kind):
        return pa.timestamp("ms", kind.tz) if kind.unit == "s" else kind
    if types.is_float16(kind):
        return pa.float32()
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_date32(kind):
        return kind
    if types.is_date64(kind):
        return pa.date32()
    texts = (types.is_string, types.is_large_string, types.is_string_view, types.is_time, types.is_null)
    return pa.string() if any(is_kind(kind) for is_kind in texts) else None


def _column(place: str, field: pa.Field, values: pa.Array, seen: int, remedy: str) -> pa.Array:
    if pa.types.is_dictionary(values.type) and values.type != field.type:
        values = values.dictionary_decode()
    try:
        cast = values if values.type == field.type else _as(values, field.type)
    except (pa.ArrowException, ValueError) as error:
        rule = f"cannot become {field.type} without changing a value: {error}"
        raise DataError([Fault(f"{place}: column '{field.name}'", rule, None, remedy)]) from error
    if pa.types.is_floating(cast.type):
        _refuse_infinity(place, field.name, cast, seen)
    return cast


def _as(values: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return values.cast(pa.string()).dictionary_encode()
    return values.cast(kind)


def _refuse_infinity(place: str, name: str, values: pa.Array, seen: int) -> None:
    infinite = pc.is_inf(values)
    if pc.any(infinite).as_py():
        index = pc.index(infinite, True).as_py()
        raise DataError([infinity(f"{place}: row {seen + index + 1}, column '{name}'", values[index].as_py())])


def infinity(where: str, value: object) -> Fault:
    """Return the fault of a value that is no finite number."""
    rule = "is infinite, or larger than a 64-bit number can be"
    return Fault(where, rule, value, "Correct the value, or leave it empty if it is unknown.")
