"""Parquet folders, JSON Lines and workbooks: what is special to each."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from goodfit.errors import ConfigurationError, DataError, GoodfitError

Reader = Callable[..., Any]


def store(path: Path, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def test_a_folder_is_read_in_the_order_of_its_paths(read: Reader, project: Path) -> None:
    for name in ("b", "a", "c/d"):
        store(project / f"input/t/{name}.parquet", a=[name])
    (project / "input/t/_SUCCESS").touch()
    (project / "input/t/.crc.parquet").write_text("hidden")
    store(project / "input/t/_temporary/x.parquet", a=["hidden"])
    assert read(kind="parquet", path="input/t").values("a") == ["a", "b", "c/d"]
    assert read(kind="parquet", path="input/t/*.parquet").values("a") == ["a", "b"]


def test_partition_keys_get_their_types(read: Reader, project: Path) -> None:
    for year, place in ((2023, "K%C3%B6ln"), (2024, "__HIVE_DEFAULT_PARTITION__")):
        store(project / f"input/t/year={year}/zip=0050{year % 10}/place={place}/p.parquet", a=[year])
    found = read(kind="parquet", path="input/t")
    assert found.table.select(["a", "year", "zip", "place"]).to_pylist() == [
        {"a": 2023, "year": 2023, "zip": "00503", "place": "Köln"},
        {"a": 2024, "year": 2024, "zip": "00504", "place": None},
    ]


def test_files_that_differ_are_refused_where_pyarrow_fills_in_silence(read: Reader, project: Path) -> None:
    store(project / "input/t/1.parquet", a=[1], b=["x"])
    store(project / "input/t/2.parquet", a=[2.5], c=["y"])
    store(project / "input/u/1.parquet", a=[1], b=["x"])
    store(project / "input/u/2.parquet", a=[2], c=["y"])
    trap = ds.dataset(project / "input/u").to_table()
    assert trap.column("b").to_pylist() == ["x", None]  # the trap: b is made up, c is gone
    with pytest.raises(DataError) as raised:
        read(kind="parquet", path="input/t")
    message = str(raised.value)
    for part in (
        "input/t/2.parquet: column 'b': is missing",
        "column 'c': is not in",
        "column 'a': has the type double",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"k=1/a.parquet": {"a": [1]}, "b.parquet": {"a": [1]}}, "Partition all files by the same keys"),
        ({"k=1/a.parquet": {"k": [1]}}, "stands in the file and in the name of its folder"),
        ({"1.parquet": {"a": [1], "b": [2]}, "2.parquet": {"b": [2], "a": [1]}}, "in another order"),
    ],
)
def test_folders_that_contradict_themselves(
    read: Reader, project: Path, files: dict[str, dict[str, list[int]]], message: str
) -> None:
    for name, columns in files.items():
        store(project / "input/t" / name, **columns)
    with pytest.raises(DataError, match=message):
        read(kind="parquet", path="input/t")


def test_unknown_columns_are_refused_before_anything_is_read(read: Reader, project: Path) -> None:
    store(project / "input/t.parquet", price=[1], size=[2])
    with pytest.raises(ConfigurationError, match=r"source.columns: .*\(it is 'prize'\)\. Did you mean 'price'\?"):
        read(kind="parquet", path="input/t.parquet", columns=["prize"])


def test_the_fingerprint_is_of_the_content_and_the_names(read: Reader, project: Path) -> None:
    store(project / "input/t/1.parquet", a=[1])
    store(project / "input/t/2.parquet", a=[2])
    first = read(kind="parquet", path="input/t").done.fingerprint
    assert read(kind="parquet", path="input/t").done.fingerprint == first
    store(project / "input/t/2.parquet", a=[3])
    assert read(kind="parquet", path="input/t").done.fingerprint != first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": "x"}\n', "line 2, column 'a': is text in a column that began with a number (it is 'x')"),
        ('{"a": true}\n\n{"a": 1}\n', "line 3, column 'a': is a number in a column that began with a truth value"),
        ('{"a": [1]}\n', "line 1, column 'a': is of the type list"),
        ('{"a": {"b": 1}}\n', "line 1, column 'a': is of the type dict"),
        ('{"a": 1, "a": 2}\n', "line 1: has the key 'a' twice"),
        ('{"a": NaN}\n', "line 1: is not valid JSON: NaN is no JSON number"),
        ('{"a": 1e400}\n', "row 1, column 'a': is infinite"),
        ('{"a": 18446744073709551616}\n', "line 1, column 'a': is too large for 64 bits"),
        ('{"a": 18446744073709551615}\n{"a": -1}\n', "line 1, column 'a': needs the unsigned 64 bits"),
        ('{"a": 0.5}\n{"a": 9007199254740993}\n', "line 2, column 'a': would lose digits"),
        ('{"a": 9' + "9" * 400 + "}\n", "line 1, column 'a': is too large"),
        ("[1]\n", "line 1: is no JSON object"),
        ('{"a": 1\n', "line 1: is not valid JSON"),
        ('{"a": "\\ud800"}\n', "column 'a': cannot be stored"),
        ('{"a": ' + "[" * 100_000, "line 1: is nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "line 1: is not valid JSON"),
        ('{"a": "' + "x" * (1 << 24) + '"}', "line 1: is longer than 16,777,216 bytes"),
        ("{}\n", "has no rows"),
        ("", "has no rows"),
        ('{"": 1}\n', "column 1: has no name"),
        ('{"a": "x\0"}\n', "line 1: holds a NUL byte"),
    ],
)
def test_json_lines_that_are_none(read: Reader, project: Path, text: str, message: str) -> None:
    (project / "input/t.jsonl").write_text(text)
    with pytest.raises(DataError) as raised:
        read(kind="jsonl", path="input/t.jsonl")
    assert message in str(raised.value)
    assert "input/t.jsonl" in str(raised.value)


def test_json_lines_in_latin_1(read: Reader, project: Path) -> None:
    (project / "input/t.jsonl").write_bytes('{"a": "ü"}\n'.encode("latin-1"))
    with pytest.raises(DataError, match="line 1: is not UTF-8"):
        read(kind="jsonl", path="input/t.jsonl")


def test_numbers_of_several_chunks_meet_in_one_type(read: Reader, project: Path) -> None:
    lines = [f'{{"a": {number}, "b": null}}' for number in range(25_000)]
    lines[24_000] = '{"a": 0.5, "b": 18446744073709551615, "late": "2024-02-29"}'
    (project / "input/t.jsonl").write_text("\n".join(lines))
    found = read(kind="jsonl", path="input/t.jsonl")
    assert [found.kind(name) for name in ("a", "b", "late")] == ["double", "uint64", "date32[day]"]
    assert found.values("a")[23_999:24_001] == [23_999.0, 0.5]
    assert found.values("late")[24_000] == datetime.date(2024, 2, 29)


def test_large_integers_of_another_chunk_than_the_fractions_are_not_rounded(read: Reader, project: Path) -> None:
    lines = ['{"a": 9007199254740993}'] * 10_000 + ['{"a": 0.5}']
    (project / "input/t.jsonl").write_text("\n".join(lines))
    with pytest.raises(DataError, match="column 'a': holds numbers that cannot stand together"):
        read(kind="jsonl", path="input/t.jsonl")


def test_json_text_stays_text(read: Reader, project: Path) -> None:
    (project / "input/t.jsonl").write_text('{"a": "12", "b": "NA", "c": "true"}\n')
    assert read(kind="jsonl", path="input/t.jsonl").table.to_pylist() == [{"a": "12", "b": "NA", "c": "true"}]


def workbook(project: Path, *rows: list[Any], sheets: tuple[str, ...] = ()) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for sheet in sheets:
        book.create_sheet(sheet)
    book.save(project / "input/t.xlsx")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["a"], [1], ["x"]], "row 3, column 'a': is text in a column that began with a number (it is 'x')"),
        ([["a"], [1], [], ["x"]], "row 4, column 'a': is text"),
        ([["a"], [1, 2]], "row 2: has a value to the right of the 1 named columns (it is 2)"),
        ([["a", "a"], [1, 2]], "row 1: column 'a': stands there 2 times"),
        ([["a", None, "c"], [1, 2, 3]], "row 1: column 2: has no name"),
        ([["a", 2024], [1, 2]], "row 1: column 2: has a name that is no text (it is 2024)"),
        ([["a", "b"], [1, "=A2*2"]], "row 2, cell B2: holds a formula whose value was never saved"),
        ([["a", "b"], ["=A2*2", 1]], "row 2, cell A2: holds a formula whose value was never saved"),
        ([["a", "b"], [1, "#DIV/0!"]], "row 2, cell B2: holds an error (it is '#DIV/0!')"),
        ([["a"]], "has no rows"),
        ([], "has no rows"),
    ],
)
def test_workbooks_that_hold_no_table(read: Reader, project: Path, rows: list[list[Any]], message: str) -> None:
    workbook(project, *rows)
    with pytest.raises(DataError) as raised:
        read(kind="excel", path="input/t.xlsx")
    assert message in str(raised.value)


def test_openpyxl_takes_an_uncomputed_formula_for_an_empty_cell(project: Path) -> None:
    """The trap that the test above shows the defence against."""
    workbook(project, ["a", "b"], [1, "=A2*2"])
    book = openpyxl.load_workbook(project / "input/t.xlsx", data_only=True)
    assert book.active["B2"].value is None
    book.close()


def test_the_sheet_is_chosen_by_name(read: Reader, project: Path) -> None:
    workbook(project, ["a"], [1], sheets=("Other",))
    with pytest.raises(ConfigurationError, match=r"2 sheets, and none is chosen\. Name one: Sheet, Other"):
        read(kind="excel", path="input/t.xlsx")
    with pytest.raises(ConfigurationError, match=r"Did you mean 'Sheet'\?"):
        read(kind="excel", path="input/t.xlsx", sheet="Shet")
    assert read(kind="excel", path="input/t.xlsx", sheet="Sheet").values("a") == [1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n", "cannot be read as an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or an encrypted Excel workbook"),
        (b"PK\x03\x04 nothing", "cannot be read as an Excel workbook"),
    ],
)
def test_files_that_are_no_workbook(read: Reader, project: Path, content: bytes, message: str) -> None:
    (project / "input/t.xlsx").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(kind="excel", path="input/t.xlsx")


@pytest.mark.parametrize("at", range(0, 100, 7))
def test_a_damaged_workbook_never_ends_in_a_traceback(read: Reader, project: Path, at: int) -> None:
    workbook(project, ["a", "b"], *([number, f"text {number}"] for number in range(500)))
    content = bytearray((project / "input/t.xlsx").read_bytes())
    position = at * len(content) // 100
    content[position : position + 20] = b"\xff" * len(content[position : position + 20])
    (project / "input/t.xlsx").write_bytes(bytes(content))
    try:
        assert read(kind="excel", path="input/t.xlsx").done.rows == 500
    except GoodfitError as error:
        assert isinstance(error, DataError)


def test_sheets_are_not_csv(read: Reader, project: Path) -> None:
    workbook(project, ["a"], [1])
    with pytest.raises(DataError, match=r"is an Excel workbook, not text\. Use source.kind: excel"):
        read(kind="csv", path="input/t.xlsx")
