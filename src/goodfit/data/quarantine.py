"""Rows set aside by validation: one Parquet file of the rows themselves, their positions, and the reasons."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from goodfit.errors import DataError, Fault
from goodfit.files import replacing

POSITION = "goodfit.row"
REASONS = "goodfit.reasons"
ROWS_KEY = b"goodfit.rows"


def write_quarantine(path: Path, frame: pd.DataFrame, positions: Sequence[int], reasons: Sequence[str]) -> None:
    """Write the rows at `positions` (ascending, from 0) of the raw table; an empty file when there are none."""
    arrow = pa.Table.from_pandas(frame.iloc[list(positions)], preserve_index=False)
    arrow = arrow.append_column(POSITION, pa.array(positions, pa.int64()))
    arrow = arrow.append_column(REASONS, pa.array(reasons, pa.string()))
    with replacing(path) as temporary:
        pq.write_table(arrow.replace_schema_metadata({ROWS_KEY: str(len(frame))}), temporary, compression="zstd")


def kept_rows(raw_length: int, path: Path) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Return a mask of shape (raw_length,): true where validation let the raw row pass.

    Args:
        raw_length: number of rows of the raw table.
        path: the quarantine file that `write_quarantine` wrote for that table.

    Raises:
        DataError: the file is not readable, or belongs to another raw table.
    """
    try:
        rows = int((pq.read_schema(path).metadata or {}).get(ROWS_KEY, b"-1"))
        positions = pq.read_table(path, columns=[POSITION]).column(POSITION).to_numpy() if rows >= 0 else None
    except (pa.ArrowException, OSError) as error:
        raise _unusable(path, f"is not readable as a quarantine file: {error}") from error
    if positions is None or rows != raw_length:
        raise _unusable(path, f"does not belong to the raw table of {raw_length:,} rows")
    kept = np.ones(raw_length, dtype=bool)
    kept[positions] = False
    return kept


def _unusable(path: Path, rule: str) -> DataError:
    return DataError([Fault(str(path), rule, None, "Let `dvc repro validate` write it again.")])
