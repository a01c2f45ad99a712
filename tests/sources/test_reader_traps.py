"""What readers do in silence, and that ours does not: each trap is shown to be real beside its defence."""

import io
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from goodfit.errors import DataError
from goodfit.sources import scan

Reader = Callable[..., Any]


def by_pandas(content: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(content))


def by_arrow(content: str) -> pa.Table:
    return pa_csv.read_csv(io.BytesIO(content.encode()), parse_options=pa_csv.ParseOptions(newlines_in_values=True))


def test_pandas_shifts_columns_when_every_row_is_longer(csv: Reader) -> None:
    content = "a,b\n1,2,3\n4,5,6\n"
    assert by_pandas(content)["a"].tolist() == [2, 5]
    with pytest.raises(DataError, match="line 2: has more values"):
        csv(content)


def test_pandas_renames_a_repeated_column(csv: Reader) -> None:
    assert list(by_pandas("a,a\n1,2\n").columns) == ["a", "a.1"]
    with pytest.raises(DataError, match="column 'a': stands there 2 times"):
        csv("a,a\n1,2\n")


def test_pandas_fills_a_short_row(csv: Reader) -> None:
    assert by_pandas("a,b\n1,2\n3\n")["b"].isna().tolist() == [False, True]
    with pytest.raises(DataError, match="line 3: has fewer values"):
        csv("a,b\n1,2\n3\n")


def test_readers_drop_the_zeros_of_a_code(csv: Reader) -> None:
    content = "code,b\n00501,x\n"
    assert by_pandas(content)["code"].tolist() == by_arrow(content)["code"].to_pylist() == [501]
    assert csv(content).values("code") == ["00501"]


def test_readers_make_infinity_of_a_large_number(csv: Reader) -> None:
    assert by_pandas("a,b\n1e400,x\n")["a"].tolist() == [float("inf")]
    with pytest.raises(DataError, match="row 1, column 'a': is infinite"):
        csv("a,b\n1e400,x\n")


def test_readers_take_the_first_row_for_names(csv: Reader) -> None:
    assert len(by_pandas("1,2\n3,4\n")) == 1
    with pytest.raises(DataError, match="no header"):
        csv("1,2\n3,4\n")


@pytest.mark.parametrize(
    ("content", "trap", "message"),
    [
        ('a,b\n1,"x"y\n', ["xy"], "goes on after the quote"),
        ('a,b\n1,"x\n2,y\n', ["x\n2,y\n"], "opens a quote that is never closed"),
        ('a,b\n1,"x\n2,"y"\n', ['x\n2,y"'], "goes on after the quote"),
    ],
)
def test_arrow_accepts_broken_quotes(
    csv: Reader, monkeypatch: pytest.MonkeyPatch, content: str, trap: list[str], message: str
) -> None:
    assert by_arrow(content)["b"].to_pylist() == trap
    with pytest.raises(DataError, match=message):
        csv(content)
    monkeypatch.setattr(scan.Scanner, "_examine_quotes", lambda self, chunk: None)  # the defence off
    assert csv(content).values("b") == trap


def test_arrow_reads_hexadecimal_as_numbers(csv: Reader) -> None:
    assert pa.array(["0x10"]).cast(pa.int64()).to_pylist() == [16]
    assert csv("a,b\n0x10,1\n").values("a") == ["0x10"]


def test_a_nul_byte_goes_through_where_nobody_looks(csv: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "a,b\n1,x\0y\n"
    with pytest.raises(DataError, match="line 2: holds a NUL byte"):
        csv(content)
    monkeypatch.setattr(scan.Scanner, "_examine", lambda self, chunk: None)  # the defence off
    assert csv(content).values("b") == ["x\0y"]


def test_a_sample_mistakes_the_type_of_a_late_letter(csv: Reader) -> None:
    content = "a,b\n" + "".join(f"{number},1\n" for number in range(200_000)) + "x,1\n"
    reader = pa_csv.open_csv(io.BytesIO(content.encode()))
    assert reader.schema.field("a").type == pa.int64()
    with pytest.raises(pa.ArrowInvalid):
        reader.read_all()
    assert csv(content).values("a")[-1] == "x"
