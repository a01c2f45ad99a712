"""The bad-input corpus of data files, C1 to C51 as far as a source can see them.

Each case is refused with its class (and so its exit code) and a message that names the place, or is kept exactly; never
a traceback, a hang, a silent change, or half an output.
"""

import bz2
import datetime
import decimal
import gzip
import io
import lzma
import os
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goodfit.errors import ConfigurationError, DataError, GoodfitError, MachineError
from goodfit.sources import Csv, ingest, packed

pytestmark = pytest.mark.timeout(30)
Reader = Callable[..., Any]


def refused(run: Callable[[], object], error: type[GoodfitError], *parts: str) -> str:
    """Assert that it is refused with all these parts in the message, and that nothing was written."""
    with pytest.raises(error) as raised:
        run()
    message = str(raised.value)
    for part in parts:
        assert part in message
    data = Path("data")
    assert not data.exists() or not list(data.iterdir())
    return message


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        pytest.param(b"", ["input/table.csv", "is empty"], id="C1"),
        pytest.param(b"a,b\n", ["input/table.csv", "has no rows"], id="C2"),
        pytest.param(b"\n\r\n\n", ["input/table.csv", "holds blank lines only"], id="C3"),
        pytest.param(b"\xef\xbb\xbf", ["is empty"], id="BOM alone"),
    ],
)
def test_no_table_at_all(csv: Reader, content: bytes, parts: list[str]) -> None:
    refused(lambda: csv(content), DataError, *parts)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        pytest.param("1,2.5,x\n3,4.5,y\n", ["line 1, column 1", "no header", "(it is '1')", "source.header"], id="C4"),
        pytest.param("x,2024-01-31\ny,2024-02-01\n", ["line 1, column 2", "no header"], id="C4 date"),
        pytest.param("a,b,a\n1,2,3\n", ["line 1: column 'a'", "2 times"], id="C5"),
        pytest.param("a,,b\n1,2,3\n", ["line 1: column 2", "has no name"], id="no name"),
        pytest.param("a, \n1,2\n", ["line 1: column 2", "has no name"], id="blank name"),
        pytest.param('a,"b\tc"\n1,2\n', ["line 1: column 2", "control characters"], id="tab in a name"),
    ],
)
def test_headers_that_name_nothing(csv: Reader, content: str, parts: list[str]) -> None:
    refused(lambda: csv(content), DataError, "input/table.csv", *parts)


def test_a_header_of_numbers_can_be_confirmed_or_denied(csv: Reader) -> None:
    assert csv("2019,2020\n1,2\n", header=True).table.column_names == ["2019", "2020"]
    found = csv("1,2\n3,4\n", header=False, names=["x", "y"])
    assert found.values("x") == [1, 3]


def test_names_must_be_as_many_as_values(csv: Reader) -> None:
    refused(lambda: csv("1,2\n", header=False, names=["x"]), DataError, "lists 1 names", "has 2 values")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        pytest.param("a,b\n" + "1,2,3\n" * 4, ["line 2", "more values than the 2 names", "'1,2,3'"], id="C6"),
        pytest.param("a,b\n1,2\n3,4\n5,6,7\n", ["line 4", "more values", "'5,6,7'"], id="C7"),
        pytest.param("a,b\n1,2\n3\n", ["line 3", "fewer values", "'3'", "Write an empty value"], id="C8"),
        pytest.param("a;b;c\n1;2;3\n", ["line 1", "delimiter ';'", "source.delimiter"], id="C9 semicolon"),
        pytest.param("a\tb\n1\t2\n", ["line 1", 'delimiter "\\t"', "source.delimiter"], id="C9 tab"),
        pytest.param("a,b,\n1,2,\n", ["line 1: column 3", "has no name", "stray delimiter"], id="C29 header"),
        pytest.param("a,b\n1,2,\n", ["line 2", "more values"], id="C29 rows"),
        pytest.param("a,b\n1,2\n\x1a", ["line 3", "Ctrl-Z"], id="C30"),
    ],
)
def test_rows_that_do_not_fit(csv: Reader, content: str, parts: list[str]) -> None:
    refused(lambda: csv(content), DataError, "input/table.csv", *parts)


def test_a_short_row_far_down_is_named(csv: Reader) -> None:
    content = "a,b\n" + "1234567,7654321\n" * 1_000_000 + "1\n"  # in a later block
    refused(lambda: csv(content), DataError, "input/table.csv: line 1000002", "fewer values")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        pytest.param("a,b\n1,ü\n".encode("utf-16"), ["is UTF-16", "iconv -f UTF-16"], id="C10"),
        pytest.param("a,b\n1,ü\n".encode("utf-16-le"), ["NUL byte", "UTF-16"], id="C10 no BOM"),
        pytest.param("a,b\n1,x\n2,ü\n".encode("latin-1"), ["line 3", "not UTF-8", "iconv -f LATIN1"], id="C11"),
        pytest.param("a,b\n1,x\n2,ü".encode()[:-1], ["line 3", "not UTF-8"], id="C12"),
        pytest.param(b"a,b\n1,x\x00y\n", ["line 2", "NUL byte"], id="C14"),
        pytest.param(b'a,b\n1,x\n2,"y\n3,z\n', ["line 3", "never closed"], id="C15"),
        pytest.param(b'a,b\n1,"x\n2,"y"\n', ["line 3", "goes on after the quote"], id="C15 in the middle"),
        pytest.param(b'a,b\n1,"x"y\n', ["line 2", "goes on after the quote", "source.quotes"], id="junk after a quote"),
        pytest.param(b'a,b\n1,5" pipe\n', ["line 2", "in the middle of a value"], id="quote inside"),
    ],
)
def test_bytes_that_are_no_text(csv: Reader, content: bytes, parts: list[str]) -> None:
    refused(lambda: csv(content), DataError, "input/table.csv", *parts)


def test_latin_1_far_down_is_named_by_its_line(csv: Reader) -> None:
    content = b"a,b\n" + b"1234567,\xc3\xbc\n" * 500_000 + b"1,\xfc\n" + b"2,x\n" * 500_000
    refused(lambda: csv(content), DataError, "input/table.csv: line 500002", "not UTF-8")


def test_quotes_on_the_edges_of_chunks_are_understood(csv: Reader) -> None:
    """Every alignment of quoted values to the parser's blocks, some with doubled quotes and line ends inside."""
    values = [f'{"x" * (i % 7)}"{i}"\r\n,' for i in range(400_000)]
    content = "a,b\n" + "".join('{},"{}"\n'.format(i, v.replace('"', '""')) for i, v in enumerate(values))
    found = csv(content)
    assert found.values("b") == values


@pytest.mark.parametrize(
    ("content", "name", "kept"),
    [
        pytest.param(b"\xef\xbb\xbfa,b\n1,2\n", "a", [1], id="C13 BOM"),
        pytest.param(b'\xef\xbb\xbf"a","b"\n1,2\n', "a", [1], id="C13 BOM and quotes"),
        pytest.param(b'a,b\n1,"x\r\ny"\r\n2,z\r\n', "b", ["x\r\ny", "z"], id="C16"),
        pytest.param(b'a,b\n1,"say ""hi"""\n', "b", ['say "hi"'], id="doubled quote"),
        pytest.param(b"a,b\r1,2\r", "b", [2], id="old Mac line ends"),
        pytest.param(b"a,b\n1,2", "b", [2], id="no last line end"),
        pytest.param(b"a\n1\n\n3\n", "a", [1, None, 3], id="C3 one column: a blank line is a missing value"),
        pytest.param(b"a,b\n\n1,2\n\n", "a", [1], id="C3 blank lines between"),
        pytest.param(b" a,b\n1,2\n", " a", [1], id="C18"),
        pytest.param("\u0430pple,b\n1,2\n".encode(), "\u0430pple", [1], id="C17"),
    ],
)
def test_kept_exactly(csv: Reader, content: bytes, name: str, kept: list[object]) -> None:
    assert csv(content).values(name) == kept


def test_names_that_look_like_others_are_remarked_on(csv: Reader) -> None:
    assert "column ' a' begins or ends with a space" in csv(" a,b\n1,2\n").said
    assert "mixes Cyrillic and Latin letters" in csv("\u0430pple,b\n1,2\n").said


@pytest.mark.parametrize(
    ("values", "kind", "kept", "said"),
    [
        pytest.param(["1,000", "2,000"], "string", None, "'1,000', with a comma for thousands", id="C19"),
        pytest.param(["1,5", "2,5"], "string", None, "with a comma for the decimal point", id="C20"),
        pytest.param(["1", "NA", "N/A", "null", "None", "NaN", "n/a", ""], "int64", [1] + [None] * 7, "", id="C21"),
        pytest.param(["x", "NA", "NA"], "string", ["x", None, None], "read as missing: 'NA' (2)", id="C21 text"),
        pytest.param(["1", "-", "3"], "string", None, "row 2 holds '-', which is no number", id="C22"),
        pytest.param(["1", "18446744073709551615"], "uint64", [1, 2**64 - 1], "", id="C23"),
        pytest.param(["-1", "9223372036854775807"], "int64", [-1, 2**63 - 1], "", id="C23 signed"),
        pytest.param(["-1", "18446744073709551615"], "string", None, "too large for a number", id="C23 mixed"),
        pytest.param(["1", "18446744073709551616"], "string", None, "row 2 holds '18446744073709551616'", id="C24"),
        pytest.param(["1.5", "9007199254740993"], "string", None, "too large for a number that must", id="C24 float"),
        pytest.param(["1.5", "9007199254740992"], "double", [1.5, 2.0**53], "", id="C24 exact"),
        pytest.param(["1", "2", "x", "4"], "string", None, "column 'v' stays text: row 3 holds 'x'", id="C26"),
        pytest.param(["00501", "10001"], "string", None, "'00501', whose leading zero a number would lose", id="C27"),
        pytest.param(["10001", "00501"], "string", None, "row 2 holds '00501'", id="C27 later"),
        pytest.param(["-01", "2"], "string", None, "leading zero", id="C27 negative"),
        pytest.param(["01.5", "2"], "string", None, "leading zero", id="C27 fraction"),
        pytest.param(["01/02/2024", "31/12/2024"], "string", None, "YYYY-MM-DD", id="C28"),
        pytest.param(["2024-01-02", "31/12/2024"], "string", None, "row 2 holds '31/12/2024'", id="C28 mixed"),
        pytest.param(["2024-01-02", "2024-02-30"], "string", None, "row 2 holds '2024-02-30'", id="C28 no such day"),
        pytest.param(
            ["2024-01-02", "2024-01-02 10:00"], "string", None, "in the same form. Give the form", id="C28 time"
        ),
        pytest.param(["2024-01-02T10:00Z", "2024-01-02T10:00"], "string", None, "same form", id="C28 zone"),
        pytest.param(["", "NA"], "string", [None, None], "", id="C32"),
        pytest.param(["+49123", "+49456"], "string", None, "plus sign", id="C48 plus"),
        pytest.param(["=cmd|'/c calc'!A0", "@SUM(1)", "-1+1", "\tx"], "string", None, "", id="C48"),
        pytest.param(["<script>alert(1)</script>", '"><img onerror=x>'], "string", None, "", id="C49"),
        pytest.param(["0x10", "0x11"], "string", None, "", id="hexadecimal"),
        pytest.param(["1_000", "2"], "string", None, "row 1 holds '1_000'", id="underscore"),
        pytest.param(["1e-400", "2"], "string", None, "so small that it would become 0", id="underflow"),
        pytest.param(["0e-400", "0.0"], "double", [0.0, 0.0], "", id="zero"),
        pytest.param(["-0", "1"], "double", [-0.0, 1.0], "", id="negative zero"),
        pytest.param(["NAN", "1"], "string", None, "row 1 holds 'NAN'", id="not in the list of missing values"),
        pytest.param([" 1", "2 ", "3"], "int64", [1, 2, 3], "", id="spaces"),
        pytest.param([".5", "5.", "1e5", "-2.5E-3"], "double", [0.5, 5.0, 1e5, -2.5e-3], "", id="fractions"),
        pytest.param(["٣", "٤"], "string", None, "", id="other digits"),
        pytest.param(["true", "False", "TRUE"], "bool", [True, False, True], "", id="truth"),
        pytest.param(["true", "no"], "string", None, "row 2 holds 'no', which is neither", id="no truth"),
        pytest.param(["2024-01-31", "soon"], "string", None, "which is no date or time in the form", id="no date"),
        pytest.param(["inf", "mation", "x"], "string", None, "", id="inf as a word"),
        pytest.param(["0000-01-01", "2024-01-01"], "string", None, "YYYY-MM-DD", id="no year 0"),
    ],
)
def test_values_change_type_only_if_none_changes(
    csv: Reader, values: list[str], kind: str, kept: list[object] | None, said: str
) -> None:
    lines = "".join('{},"{}"\n'.format(number, value.replace('"', '""')) for number, value in enumerate(values))
    found = csv(f"k,v\n{lines}")
    assert found.kind("v") == kind
    assert repr(found.values("v")) == repr(values if kept is None else kept)
    assert said in found.said
    if not said:
        assert "stays text" not in found.said


@pytest.mark.parametrize("value", ["1e400", "-1e400", "inf", "-Infinity", "Inf"])
def test_infinities_are_refused(csv: Reader, value: str) -> None:
    """C25"""
    parts = ["input/table.csv: row 2, column 'v'", "is infinite", f"(it is '{value}')"]
    refused(lambda: csv(f"v,w\n1.5,x\n{value},x\n"), DataError, *parts)


def test_the_form_of_dates_can_be_told(csv: Reader) -> None:
    """C28"""
    content = "day,at,n\n31/12/2024,1/2/24 09:05 PM,1\nNA,,2\n1/2/2024,11/12/24 12:00 AM,3\n"
    found = csv(content, dates={"day": "%d/%m/%Y", "at": "%m/%d/%y %I:%M %p"})
    assert (found.kind("day"), found.kind("at")) == ("date32[day]", "timestamp[us]")
    assert found.values("day") == [datetime.date(2024, 12, 31), None, datetime.date(2024, 2, 1)]
    assert found.values("at")[0] == datetime.datetime(2024, 1, 2, 21, 5)


@pytest.mark.parametrize("value", ["31/02/2024", "2024-01-31", "31/12/2024 ", "32/01/2024", "1/13/2024"])
def test_a_date_that_is_none_is_refused(csv: Reader, value: str) -> None:
    parts = ["row 2, column 'day'", "is no date of the form %d/%m/%Y", f"(it is '{value}')", "source.dates"]
    refused(lambda: csv(f"day,n\n1/2/2024,1\n{value},2\n", dates={"day": "%d/%m/%Y"}), DataError, *parts)


def test_the_form_of_dates_of_an_unknown_column(csv: Reader) -> None:
    refused(lambda: csv("day,n\n1,2\n", dates={"dya": "%d"}), ConfigurationError, "Did you mean 'day'?")


def test_a_letter_in_a_later_block_makes_the_whole_column_text(csv: Reader) -> None:
    """C26: types are found on all rows, not on a sample."""
    rows = [str(1_000_000 + number) for number in range(1_000_000)]
    rows[900_000] = "oops"
    found = csv("v,w\n" + "".join(f"{row},1\n" for row in rows))
    assert found.values("v") == rows
    assert "row 900001 holds 'oops'" in found.said


def test_missing_values_can_be_named(csv: Reader) -> None:
    found = csv("a,b\n1,NA\n-,x\n", missing=["-"])
    assert found.values("a") == [1, None]
    assert found.values("b") == ["NA", "x"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": "\n"}, "source.delimiter: cannot separate values"),
        ({"delimiter": "ä"}, "source.delimiter: cannot separate values"),
        ({"delimiter": ";;"}, "source.delimiter"),
        ({"header": False}, "source.names: is missing"),
    ],
)
def test_options_that_cannot_be(csv: Reader, options: dict[str, Any], message: str) -> None:
    refused(lambda: csv("a,b\n1,2\n", **options), ConfigurationError, message)


def test_column_order_is_the_files(csv: Reader) -> None:
    """C38: the schema decides what an order means; a source changes none."""
    assert csv("b,c,a\n1,2,3\n").table.column_names == ["b", "c", "a"]


def test_ten_thousand_columns(csv: Reader) -> None:
    """C45"""
    names = [f"column_{number}" for number in range(10_000)]
    found = csv(",".join(names) + "\n" + (",".join(["1.5"] * 10_000) + "\n") * 20)
    assert found.table.shape == (20, 10_000)
    assert set(found.table.schema.types) == {pa.float64()}


def test_a_cell_of_50_mb(csv: Reader) -> None:
    """C46"""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    content = b"a,b\n1,x\n2," + b"x" * 50_000_000 + b"\n"
    refused(lambda: csv(content), DataError, "input/table.csv: line 3", "longer than 4,194,304 bytes")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


ODD_FILES = {
    "FIFO": (lambda path: os.mkfifo(path), ConfigurationError, "this is a pipe"),
    "directory": (lambda path: path.mkdir(), ConfigurationError, "this is a folder"),
    "link loop": (lambda path: path.symlink_to(path), ConfigurationError, "symbolic links"),
    "dangling link": (
        lambda path: path.symlink_to("nowhere"),
        ConfigurationError,
        "a link to a file that is not there",
    ),
    "link to /dev/zero": (lambda path: path.symlink_to("/dev/zero"), ConfigurationError, "this is a device"),
    "nothing": (lambda path: None, ConfigurationError, "no such file"),
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "excel", "parquet"])
@pytest.mark.parametrize("odd", ODD_FILES)
def test_paths_that_are_no_files(read: Reader, project: Path, kind: str, odd: str) -> None:
    """C47: no hang on what never ends or never answers."""
    make, error, part = ODD_FILES[odd]
    make(project / "input/odd")
    if (odd, kind) == ("directory", "parquet"):
        part = "no file matches it"
    refused(lambda: read(kind=kind, path="input/odd"), error, "params.yaml: source.path", part, "input/odd")


@pytest.mark.timeout(10)
def test_a_device_by_url(read: Reader) -> None:
    refused(lambda: read(kind="csv", path="file:///dev/zero"), ConfigurationError, "this is a device")


def test_a_missing_file_suggests_its_neighbour(read: Reader, project: Path) -> None:
    (project / "input/customers.csv").write_text("a,b\n1,2\n")
    refused(
        lambda: read(kind="csv", path="input/custmers.csv"), ConfigurationError, "Did you mean 'input/customers.csv'?"
    )


def test_links_to_real_files_are_followed(read: Reader, project: Path) -> None:
    (project / "real.csv").write_text("a,b\n1,2\n")
    (project / "input/link.csv").symlink_to(project / "real.csv")
    assert read(kind="csv", path="input/link.csv").values("a") == [1]


def zipped(**members: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv.gz", gzip.compress(b"a,b\n1,x\n")),
        ("t.csv.bz2", bz2.compress(b"a,b\n1,x\n")),
        ("t.csv.xz", lzma.compress(b"a,b\n1,x\n")),
        ("t.zip", zipped(t_csv="a,b\n1,x\n")),
        ("t.csv", gzip.compress(b"a,b\n1,x\n")),
    ],
)
def test_packed_files_are_read(read: Reader, project: Path, name: str, content: bytes) -> None:
    (project / "input" / name).write_bytes(content)
    assert read(kind="csv", path=f"input/{name}").values("b") == ["x"]


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        pytest.param("t.csv.gz", b"a,b\n1,x\n", ["ends in .gz", "first bytes"], id="wrong extension"),
        pytest.param("t.csv.gz", gzip.compress(b"a,b\n1,x\n" * 99)[:-9], ["cannot be unpacked"], id="truncated gzip"),
        pytest.param("t.csv.xz", lzma.compress(b"a,b\n1,x\n" * 99)[:-9], ["cannot be unpacked"], id="truncated xz"),
        pytest.param(
            "t.zip", zipped(a_csv="a\n1\n", b_csv="a\n1\n"), ["zip of 2 files", "a.csv, b.csv"], id="2 members"
        ),
        pytest.param("t.zip", zipped(), ["zip"], id="no members"),
        pytest.param("t.csv", b"PAR1xxxx", ["is a Parquet file", "source.kind: parquet"], id="Parquet"),
        pytest.param("t.csv", b"SQLite format 3\0", ["SQLite database", "source.kind: sql"], id="SQLite"),
        pytest.param("t.csv", b"%PDF-1.7", ["is a PDF"], id="PDF"),
        pytest.param("t.csv", b"\x28\xb5\x2f\xfd..", ["is packed by zstd"], id="zstd"),
    ],
)
def test_wrapped_and_mistaken_files(read: Reader, project: Path, name: str, content: bytes, parts: list[str]) -> None:
    (project / "input" / name).write_bytes(content)
    refused(lambda: read(kind="csv", path=f"input/{name}"), DataError, f"input/{name}", *parts)


def test_a_gzip_bomb_is_stopped_at_the_cap(read: Reader, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C47: in proportion 10 MB to 10 GB; the bytes that come out are capped, not looked up in a header that lies."""
    monkeypatch.setattr(packed, "ALWAYS_FINE", 1 << 20)
    member = gzip.compress(b"1,2\n" * 2_500_000)
    (project / "input/bomb.csv.gz").write_bytes(gzip.compress(b"a,b\n") + member * 10)
    written: list[int] = []
    real = packed.check_ratio
    monkeypatch.setattr(packed, "check_ratio", lambda n, out, size: (written.append(out), real(n, out, size)))
    refused(lambda: read(kind="csv", path="input/bomb.csv.gz"), DataError, "input/bomb.csv.gz", "a bomb")
    assert max(written) < 20_000_000


def nested() -> pa.Table:
    return pa.table({"a": [1], "tags": [["x", "y"]]})


def unsigned_decimal(text: str) -> pa.Table:
    return pa.table({"a": pa.array([decimal.Decimal(text)], pa.decimal128(38, 0))})


@pytest.mark.parametrize(
    ("table", "parts"),
    [
        pytest.param(nested(), ["column 'tags'", "list<", "source.columns"], id="list"),
        pytest.param(pa.table({"a": [{"x": 1}]}), ["column 'a'", "struct<"], id="struct"),
        pytest.param(pa.table({"a": [b"\x00\xff"]}), ["column 'a'", "binary"], id="binary"),
        pytest.param(pa.table({"a": pa.array([1], pa.duration("s"))}), ["column 'a'", "duration"], id="duration"),
        pytest.param(unsigned_decimal("9" * 30), ["column 'a'", "without changing a value"], id="big decimal"),
        pytest.param(pa.table({"a": [1.0, float("inf")]}), ["row 2, column 'a'", "is infinite"], id="infinity"),
        pytest.param(pa.table({"a": pa.array([], pa.int64())}), ["has no rows"], id="no rows"),
        pytest.param(pa.table({}), ["has no rows"], id="no columns"),
        pytest.param(pa.table([[1], [2]], names=["a", "a"]), ["column 'a'", "2 times"], id="duplicate names"),
    ],
)
def test_parquet_that_no_table_can_hold(read: Reader, project: Path, table: pa.Table, parts: list[str]) -> None:
    """C50"""
    pq.write_table(table, project / "input/t.parquet")
    refused(lambda: read(kind="parquet", path="input/t.parquet"), DataError, "input/t.parquet", *parts)


def test_a_nested_column_can_be_left_out(read: Reader, project: Path) -> None:
    pq.write_table(nested(), project / "input/t.parquet")
    assert read(kind="parquet", path="input/t.parquet", columns=["a"]).values("a") == [1]


def good_parquet() -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({"a": list(range(50_000)), "b": [str(n) for n in range(50_000)]}), target)
    return target.getvalue()


def encrypted_parquet() -> bytes:
    return good_parquet()[:-4] + b"PARE"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(good_parquet()[:-100], id="tail cut"),
        pytest.param(good_parquet()[:1000], id="head only"),
        pytest.param(good_parquet()[:-4] + b"PARX", id="wrong magic"),
        pytest.param(encrypted_parquet(), id="encrypted footer"),
        pytest.param(b"", id="empty"),
        pytest.param(b"PAR1" + b"\0" * 5000 + good_parquet()[5004:], id="pages zeroed"),
        pytest.param(b"a,b\n1,2\n", id="CSV"),
    ],
)
def test_damaged_parquet(read: Reader, project: Path, content: bytes) -> None:
    """C50"""
    (project / "input/t.parquet").write_bytes(content)
    refused(
        lambda: read(kind="parquet", path="input/t.parquet"), DataError, "input/t.parquet", "cannot be read as Parquet"
    )


@pytest.mark.parametrize("at", range(0, 1000, 37))
def test_a_flipped_byte_in_parquet_never_ends_in_a_traceback(read: Reader, project: Path, at: int) -> None:
    content = bytearray(good_parquet())
    content[at * len(content) // 1000] ^= 0xFF
    (project / "input/t.parquet").write_bytes(bytes(content))
    try:
        assert read(kind="parquet", path="input/t.parquet").done.rows == 50_000
    except GoodfitError as error:
        assert isinstance(error, DataError)


@pytest.mark.parametrize("how", ["append", "same size and time", "replace", "truncate", "remove"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_that_changes_while_it_is_read(project: Path, kind: str, how: str) -> None:
    """C51: between the first and the second look."""
    from goodfit.sources import Parquet

    path = project / f"input/t.{kind}"
    table = pa.table({"a": list(range(200_000)), "b": ["x"] * 200_000})
    if kind == "csv":
        path.write_text("a,b\n" + "123456,y\n" * 400_000)
    else:
        pq.write_table(table, path, row_group_size=20_000)
    source = Csv(path=f"input/t.{kind}") if kind == "csv" else Parquet(path=f"input/t.{kind}")
    real = source.read

    def read_and_meddle() -> pa.RecordBatchReader:
        reader = real()

        def batches() -> Any:
            for number, batch in enumerate(reader):
                yield batch
                if not number:
                    meddle(path, how)

        return pa.RecordBatchReader.from_batches(reader.schema, batches())

    source.read = read_and_meddle  # type: ignore[method-assign]
    refused(lambda: ingest(source, project / "data/raw.parquet"), DataError, f"input/t.{kind}")


def meddle(path: Path, how: str) -> None:
    content, found = path.read_bytes(), path.stat()
    if how == "append":
        with path.open("ab") as stream:
            stream.write(b"1,z\n")
    elif how == "same size and time":
        with path.open("r+b") as stream:
            stream.seek(len(content) // 2)
            stream.write(bytes([content[len(content) // 2] ^ 1]))
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    elif how == "replace":
        other = path.with_suffix(".new")
        other.write_bytes(content)
        os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
        other.replace(path)
    elif how == "truncate":
        os.truncate(path, len(content) // 2)
    else:
        path.unlink()


def test_an_unreadable_file_is_the_machines_fault(read: Reader, project: Path) -> None:
    (project / "input/secret.csv").write_text("a,b\n1,2\n")
    (project / "input/secret.csv").chmod(0o000)
    if os.getuid():
        refused(lambda: read(kind="csv", path="input/secret.csv"), MachineError, "may not be read", "chmod u+r")
        return
    script = "from goodfit.sources import Csv; Csv(path='input/secret.csv').read()"
    project.chmod(0o755)
    for folder in project.parents[:2]:
        folder.chmod(0o755)
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=project, timeout=60)
    if "Permission denied" in done.stderr and "site-packages" not in done.stderr and "chmod" not in done.stderr:
        pytest.skip("this Python cannot be run by another user")
    assert re.search(r"MachineError: input/secret.csv: may not be read by this user. .*chmod u\+r", done.stderr)


def test_the_whole_matrix_is_covered_by_exit_codes() -> None:
    assert (ConfigurationError.exit_code, DataError.exit_code, MachineError.exit_code) == (2, 3, 4)
