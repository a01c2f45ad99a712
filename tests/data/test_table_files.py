import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goodfit.data import SchemaSection, Table, infer_schema, read_frame, read_table, write_table
from goodfit.data import table as module
from goodfit.errors import DataError

ROWS = 1000


@pytest.fixture
def arrow() -> pa.Table:
    number = np.arange(ROWS)
    gaps = number % 7 == 0
    return pa.table(
        {
            "small": pa.array(number % 100, pa.int8()),
            "big": pa.array([2**53 + 1 + i for i in range(ROWS)], pa.int64(), mask=gaps),
            "huge": pa.array([2**64 - 1 - i for i in range(ROWS)], pa.uint64()),
            "real": pa.array(number * 0.25, mask=gaps),
            "flag": pa.array(number % 2 == 0),
            "maybe": pa.array(number % 2 == 0, mask=gaps),
            "text": pa.array([f"tëxt {i} 漢" for i in range(ROWS)], mask=gaps),
            "level": pa.array([f"level {i % 5}" for i in range(ROWS)]).dictionary_encode(),
            "moment": pa.array(np.datetime64("2024-02-29T12:00:00.123456") + number.astype("m8[h]"), mask=gaps),
            "day": pa.array(np.datetime64("1850-01-01") + number.astype("m8[D]"), pa.date32()),
            "a.b": pa.array(number * 2),
            "a": pa.array(number * 3),
            "y": pa.array(np.where(number % 3 == 0, "no", "yes")),
        }
    )


@pytest.fixture
def raw(arrow: pa.Table, tmp_path: Path) -> Path:
    pq.write_table(arrow, tmp_path / "raw.parquet", row_group_size=300)
    return tmp_path / "raw.parquet"


@pytest.fixture
def table(raw: Path) -> Table:
    frame = read_frame(raw)
    return Table(frame, infer_schema(frame, SchemaSection(target="y", id=["big"])))


def test_types_and_values_survive_reading(arrow: pa.Table, raw: Path) -> None:
    frame = read_frame(raw)
    assert list(frame.columns) == arrow.column_names
    kinds = {"small": "int8", "big": "Int64", "huge": "uint64", "flag": "bool", "maybe": "boolean", "level": "category"}
    assert {name: str(frame[name].dtype) for name in kinds} == kinds
    assert frame["moment"].dtype.kind == frame["day"].dtype.kind == "M"
    assert len(arrow.column_names) > module.COLUMNS_AT_ONCE
    for name in ("small", "big", "huge", "real", "flag", "maybe", "text", "a.b", "a", "y"):
        values = frame[name].astype(object).where(frame[name].notna(), None)
        assert values.tolist() == arrow.column(name).to_pylist()
    assert frame["day"].dt.strftime("%Y-%m-%d").tolist() == [str(day) for day in arrow.column("day").to_pylist()]


def test_pandas_alone_would_round_big_integers_with_gaps(raw: Path) -> None:
    assert pd.read_parquet(raw)["big"].dropna().astype("int64").iloc[0] == 2**53 + 2
    assert read_frame(raw)["big"].dropna().iloc[0] == 2**53 + 2
    assert pd.read_parquet(raw)["big"].dropna().astype("int64").iloc[1] != 2**53 + 3
    assert read_frame(raw)["big"].dropna().iloc[1] == 2**53 + 3


def test_some_columns_can_be_read(raw: Path) -> None:
    assert list(read_frame(raw, ["y", "a", "a.b"]).columns) == ["y", "a", "a.b"]


def test_a_table_comes_back_as_it_was(table: Table, tmp_path: Path) -> None:
    write_table(tmp_path / "out.parquet", table)
    back = read_table(tmp_path / "out.parquet")
    assert back.schema == table.schema
    pd.testing.assert_frame_equal(back.frame, table.frame)
    assert read_table(tmp_path / "out.parquet", ["a", "y"]).frame.shape == (ROWS, 2)


def test_equal_rows_give_equal_bytes_however_they_were_chosen(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROW_GROUP", 128)
    chosen = np.arange(ROWS) % 3 > 0
    taken = table.take(chosen)
    write_table(tmp_path / "masked.parquet", table, chosen)
    write_table(tmp_path / "taken.parquet", taken)
    assert (tmp_path / "masked.parquet").read_bytes() == (tmp_path / "taken.parquet").read_bytes()
    assert len(taken) == pq.read_metadata(tmp_path / "taken.parquet").num_rows == chosen.sum()
    assert pq.read_metadata(tmp_path / "taken.parquet").row_group(0).num_rows == 128
    pd.testing.assert_frame_equal(read_table(tmp_path / "masked.parquet").frame, taken.frame)


def test_no_rows_are_a_table_too(table: Table, tmp_path: Path) -> None:
    write_table(tmp_path / "out.parquet", table, np.zeros(ROWS, dtype=bool))
    back = read_table(tmp_path / "out.parquet")
    assert len(back) == 0 and list(back.frame.columns) == list(table.frame.columns)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,b\n1,2\n", None], ids=["empty", "magic", "text", "missing"])
def test_what_is_no_parquet_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "raw.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"is not readable as Parquet.*dvc repro"):
        read_frame(tmp_path / "raw.parquet")


def test_a_truncated_file_is_refused(raw: Path) -> None:
    raw.write_bytes(raw.read_bytes()[:-20])
    with pytest.raises(DataError, match="is not readable as Parquet"):
        read_frame(raw)


def test_a_file_without_a_schema_is_refused(raw: Path) -> None:
    with pytest.raises(DataError, match="carries no goodfit schema"):
        read_table(raw)


def test_a_failed_write_leaves_the_old_file_and_no_other(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table(tmp_path / "out.parquet", table)
    before = (tmp_path / "out.parquet").read_bytes()
    whole = module._row_groups

    def full_disk(*arguments: Any) -> Iterator[pa.Table]:
        yield from whole(*arguments)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_row_groups", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_table(tmp_path / "out.parquet", table)
    assert (tmp_path / "out.parquet").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet", "raw.parquet"]


def test_the_schema_lies_in_the_file(table: Table, tmp_path: Path) -> None:
    write_table(tmp_path / "out.parquet", table)
    metadata = pq.read_schema(tmp_path / "out.parquet").metadata
    assert json.loads(metadata[module.METADATA_KEY]) == json.loads(json.dumps(table.schema.to_dict()))
