"""Files of answers: whole or not there, and harmless to open in a spreadsheet."""

import glob
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq

from goodfit.files import remove, replacing
from goodfit.serving.escaping import escaped, escaped_name
from goodfit.serving.inputs import TEXT, is_parquet
from goodfit.stage.owner import started_at


class TableFile:
    """A CSV or Parquet file that is written piece by piece and appears when it is complete.

    Used as a context: on success it replaces what was there; on failure what was there stays. Where nothing is
    written, what was there goes.

    Args:
        path: of the file; its name says the kind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parquet = is_parquet(path, "OUTPUT")
        self._stack = ExitStack()
        self._writer: pq.ParquetWriter | pc_csv.CSVWriter | None = None

    @property
    def begun(self) -> bool:
        """Whether anything was written."""
        return self._writer is not None

    def write(self, table: pa.Table) -> None:
        """Write rows; the first ones say which columns there are."""
        if not self._parquet:
            columns = [
                pa.chunked_array([escaped(c) for c in column.chunks], _written(column.type)) for column in table.columns
            ]
            table = pa.table(columns, names=[escaped_name(name) for name in table.column_names])
        if self._writer is None:
            _sweep(self.path)
            temporary = self._stack.enter_context(replacing(self.path))
            self._writer = self._stack.enter_context(self._opened(temporary, table.schema))
        self._writer.write_table(table)

    def _opened(self, path: Path, schema: pa.Schema) -> "pq.ParquetWriter | pc_csv.CSVWriter":
        if self._parquet:
            whole = {field.name for field in schema if pa.types.is_integer(field.type)}
            texts = [field.name for field in schema if field.name not in whole and not pa.types.is_floating(field.type)]
            # Probabilities do not pack: a sixth of the time of a prediction went into trying. Positions and ids rise.
            compression = {name: "zstd" if name in texts else "none" for name in schema.names}
            encoding = dict.fromkeys(whole, "DELTA_BINARY_PACKED")
            return pq.ParquetWriter(
                path, schema, compression=compression, use_dictionary=texts, column_encoding=encoding
            )
        delimiter = TEXT[self.path.suffix.lower()]
        return pc_csv.CSVWriter(path, schema, write_options=pc_csv.WriteOptions(delimiter=delimiter))

    def __enter__(self) -> "TableFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if kind is None and not self.begun:
            remove(self.path)


def _written(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _sweep(path: Path) -> None:
    """Remove what a process that was killed has left half-written beside a file."""
    for litter in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        number = litter.name.split(".")[-2]
        if number.isdigit() and started_at(int(number)) is None:
            remove(litter)
