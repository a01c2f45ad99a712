"""Types survive: what a table holds is what Parquet holds, whichever way it came."""

import csv as python_csv
import datetime
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goodfit.sources import Csv, JsonLines, Parquet, ingest
from goodfit.sources.csv import MISSING

Reader = Callable[..., Any]
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
words = texts.filter(lambda text: text not in MISSING)
days = st.dates(datetime.date(1, 1, 1))
moments = st.datetimes(datetime.datetime(1, 1, 1))
whole = st.integers(-(2**63), 2**63 - 1)
real = st.floats(allow_nan=False, allow_infinity=False)


def column(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.none() | values, min_size=1, max_size=20).filter(lambda found: found[0] is not None)


COLUMNS = {
    "int64": column(whole),
    "uint64": column(st.integers(0, 2**64 - 1)).map(lambda found: [2**64 - 1, *found]),
    "float64": column(real),
    "bool": column(st.booleans()),
    "date32[day]": column(days),
    "timestamp[us]": column(moments),
}
"""Arrow type to values in it; the first is never missing, so that the column has a type."""


def write_csv(rows: list[Any]) -> bytes:
    target = io.StringIO()
    writer = python_csv.writer(target)
    writer.writerow(["key", "value"])
    for number, value in enumerate(rows):
        shown = "" if value is None else repr(value) if isinstance(value, float) else str(value)
        writer.writerow([f"k{number}", shown])
    return target.getvalue().encode()


def ingested(source: Any, project: Path) -> pa.Table:
    ingest(source, project / "raw.parquet")
    return pq.read_table(project / "raw.parquet")


@pytest.mark.parametrize("kind", COLUMNS)
def test_csv_finds_the_type_and_keeps_every_value(project: Path, kind: str) -> None:
    @quick
    @given(COLUMNS[kind])
    def holds(values: list[Any]) -> None:
        (project / "input/t.csv").write_bytes(write_csv(values))
        found = ingested(Csv(path="input/t.csv"), project).column("value")
        if kind == "timestamp[us]":  # Python writes midnight with its seconds, and no fraction where there is none
            assert found.type == pa.timestamp("us")
        elif kind == "float64":
            assert found.type in (pa.float64(), pa.int64())
        else:
            assert str(found.type) == kind
        assert found.to_pylist() == values

    holds()


@quick
@given(st.lists(texts, min_size=1, max_size=20))
def test_csv_text_is_kept_to_the_letter(project: Path, values: list[str]) -> None:
    values = ["word", *values]  # no number, no date: so the column is text
    (project / "input/t.csv").write_bytes(write_csv(values))
    found = ingested(Csv(path="input/t.csv", missing=["<missing>"]), project)
    assert found.column("value").to_pylist() == values


@quick
@given(st.lists(st.text("0123456789.,+-eE :/TZ", min_size=1, max_size=8), min_size=1, max_size=6))
def test_csv_never_changes_what_looks_like_a_number(project: Path, values: list[str]) -> None:
    """Whatever type is found, writing the value again gives the same number, date or text."""
    (project / "input/t.csv").write_bytes(write_csv(values))
    try:
        found = ingested(Csv(path="input/t.csv"), project).column("value")
    except Exception as error:
        assert "is infinite" in str(error)
        return
    for before, after in zip(values, found.to_pylist(), strict=True):
        if isinstance(after, str):
            assert after == before
        elif isinstance(after, int):
            assert str(after) == before.strip(" ")
        elif isinstance(after, float):
            assert float(before) == after
            assert not before.strip(" ").lstrip("-").startswith(("+", "00"))
        else:
            assert after.isoformat()[:10] == before[:10]


@quick
@given(st.lists(st.fixed_dictionaries({"a": st.none() | whole, "b": st.none() | real, "c": words}), min_size=1))
def test_jsonl_keeps_every_value(project: Path, rows: list[dict[str, Any]]) -> None:
    rows = [{"a": 1, "b": 0.5, "c": "word"}, *rows]
    (project / "input/t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = ingested(JsonLines(path="input/t.jsonl"), project)
    assert found.to_pylist() == rows
    assert [str(kind) for kind in found.schema.types] == ["int64", "double", "string"]


ARROW = {
    "int8": ([1, None, -3], pa.int8(), pa.int8()),
    "int16": ([1, None], pa.int16(), pa.int16()),
    "uint8": ([1, None], pa.uint8(), pa.uint8()),
    "uint32": ([1, None], pa.uint32(), pa.uint32()),
    "uint64": ([2**64 - 1, None], pa.uint64(), pa.uint64()),
    "nullable int64": ([2**53 + 1, None], pa.int64(), pa.int64()),
    "float16": ([1.5, None], pa.float16(), pa.float32()),
    "float32": ([1.5, None], pa.float32(), pa.float32()),
    "NaN stays": ([1.5, None], pa.float64(), pa.float64()),
    "bool": ([True, None], pa.bool_(), pa.bool_()),
    "large string": (["ä", None], pa.large_string(), pa.string()),
    "string view": (["ä", None], pa.string_view(), pa.string()),
    "date32": ([datetime.date(2024, 2, 29), None], pa.date32(), pa.date32()),
    "date64": ([datetime.date(2024, 2, 29), None], pa.date64(), pa.date32()),
    "time": ([datetime.time(12, 30), None], pa.time64("us"), pa.string()),
    "seconds": ([datetime.datetime(2024, 2, 29), None], pa.timestamp("s"), pa.timestamp("ms")),
    "zone": ([datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC)], pa.timestamp("us", "Europe/Berlin"), None),
    "nanoseconds": ([1], pa.timestamp("ns"), pa.timestamp("ns")),
    "category": (["x", "y", None], pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.string())),
    "category of numbers": ([5, 7, None], pa.dictionary(pa.int8(), pa.int64()), pa.int64()),
    "whole decimal": (["12", None], pa.decimal128(18, 0), pa.int64()),
    "big decimal": (["-9223372036854775808"], pa.decimal128(38, 0), pa.int64()),
    "decimal": (["1.10"], pa.decimal128(10, 2), pa.float64()),
    "null": ([None, None], pa.null(), pa.string()),
}


@pytest.mark.parametrize("name", ARROW)
def test_arrow_types_have_a_normal_form(project: Path, name: str) -> None:
    values, given_type, expected = ARROW[name]
    table = pa.table({"v": pa.array(values).cast(given_type) if "decimal" in name else pa.array(values, given_type)})
    pq.write_table(table, project / "input/t.parquet")
    found = ingested(Parquet(path="input/t.parquet"), project).column("v")
    assert found.type == (expected or given_type)
    before = table.column("v")
    if expected != pa.string() or name in ("large string", "string view"):
        assert found.to_pylist() == before.to_pylist() or name.endswith("decimal")
    if name == "time":
        assert found.to_pylist()[0].startswith("12:30:00")


def test_old_int96_times_of_far_years_do_not_wrap(project: Path) -> None:
    far = datetime.datetime(9999, 12, 31)
    pq.write_table(pa.table({"v": [far]}), project / "input/t.parquet", use_deprecated_int96_timestamps=True)
    assert pq.read_table(project / "input/t.parquet").column("v")[0].value != far  # the trap: wrapped nanoseconds
    assert ingested(Parquet(path="input/t.parquet"), project).column("v").to_pylist() == [far]


def test_pandas_index_metadata_does_not_move_columns(project: Path) -> None:
    import pandas as pd

    from goodfit.data import read_frame

    frame = pd.DataFrame({"k": ["a", "b"], "v": [1, 2]}).set_index("k")
    frame.to_parquet(project / "input/t.parquet")
    assert list(pd.read_parquet(project / "input/t.parquet").columns) == ["v"]  # the trap: a column is an index
    ingest(Parquet(path="input/t.parquet"), project / "raw.parquet")
    assert sorted(read_frame(project / "raw.parquet").columns) == ["k", "v"]


def test_excel_cells_keep_their_types(read: Reader, project: Path) -> None:
    book = openpyxl.Workbook()
    moment = datetime.datetime(2024, 2, 29, 12, 30)
    book.active.append(["id", "share", "day", "moment", "flag", "code", "gap"])
    book.active.append([1, 0.5, datetime.date(2024, 2, 29), moment, True, "00501", None])
    book.active.append([2, 1, datetime.date(2024, 3, 1), None, False, "Grüße", 7])
    book.save(project / "input/t.xlsx")
    found = read(kind="excel", path="input/t.xlsx")
    kinds = ["int64", "double", "date32[day]", "timestamp[us]", "bool", "string", "int64"]
    assert [str(kind) for kind in found.table.schema.types] == kinds
    assert found.table.to_pylist()[0] == {
        **{"id": 1, "share": 0.5, "day": datetime.date(2024, 2, 29), "moment": moment},
        **{"flag": True, "code": "00501", "gap": None},
    }


def test_csv_zones_become_instants_and_nanoseconds_stay(csv: Reader) -> None:
    found = csv("z,n\n2024-02-29T12:30:00+02:00,2024-02-29 12:30:00.123456789\n2024-02-29T12:30Z,2024-02-29 12:30\n")
    assert (found.kind("z"), found.kind("n")) == ("timestamp[us, tz=UTC]", "timestamp[ns]")
    assert found.values("z")[0] == datetime.datetime(2024, 2, 29, 10, 30, tzinfo=datetime.UTC)
    assert found.table.column("n")[0].value % 1_000_000_000 == 123456789


def test_tsv_and_other_delimiters(csv: Reader) -> None:
    assert csv("a\tb\n1\tx,y\n", delimiter="\t").values("b") == ["x,y"]
    assert csv('a;b\n1;5" pipe\n', delimiter=";", quotes=False).values("b") == ['5" pipe']
