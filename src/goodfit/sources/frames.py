"""A pandas frame out of a package as a stream of normalised Arrow batches."""

import pandas as pd
import pyarrow as pa

from goodfit.sources.kinds import DATES
from goodfit.sources.normal import normalised
from goodfit.sources.text import TextColumn, with_types
from goodfit.sources.values import CHUNK, Spool

REMEDY = "Write the table to a Parquet file yourself, with the column as you want it."


def frame_reader(place: str, frame: pd.DataFrame) -> pa.RecordBatchReader:
    """Return the rows of a frame; its index is no column.

    Raises:
        DataError: a column of mixed or nested values.
    """
    frame = frame.reset_index(drop=True)
    columns = [_column(place, str(name), frame.iloc[:, index]) for index, name in enumerate(frame.columns)]
    table = pa.Table.from_arrays(columns, names=list(map(str, frame.columns)))
    reader = normalised(place, table.schema, table.to_batches(), REMEDY)
    return with_types(reader, {field.name: _date_type(place, field, table) for field in reader.schema})


def _date_type(place: str, field: pa.Field, table: pa.Table) -> pa.DataType:
    """Return the type of dates that were written as text, which is all that the packages' files can hold."""
    if field.type != pa.string():
        return field.type
    column = TextColumn(place, field.name, DATES)
    for chunk in table.column(field.name).cast(pa.string()).chunks:
        column.look(chunk, 1)
    return column.settle()


def _column(place: str, name: str, values: pd.Series) -> pa.ChunkedArray:
    if values.dtype != object:
        return pa.chunked_array([pa.Array.from_pandas(values)])
    with Spool(place, REMEDY) as spool:
        for start in range(0, max(len(values), 1), CHUNK):
            part = values.iloc[start : start + CHUNK]
            spool.add(range(start + 1, start + 1 + len(part)), [name], [_plain(part)])
        return spool.reader().read_all().column(0)


def _plain(values: pd.Series) -> list[object]:
    return [None if missing else value for value, missing in zip(values, values.isna(), strict=True)]
