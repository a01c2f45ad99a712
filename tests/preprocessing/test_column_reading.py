import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from goodfit.errors import DataError
from goodfit.preprocessing.reading import level_name, read_levels, read_numbers, read_times, read_truths


def column(values, dtype=None):
    return pd.Series(values, dtype=dtype, name="x")


@pytest.mark.parametrize(
    "values",
    [
        column([1.0, np.nan, 3.0]),
        column([1, None, 3], "Int64"),
        column([1, None, 3], object),
        column([Decimal(1), None, Decimal(3)], object),
        column([1, pd.NA, 3.0], object),
        column([1.0, None, 3.0], "float32"),
    ],
    ids=lambda values: str(values.dtype),
)
def test_numbers_in_any_dress(values):
    np.testing.assert_array_equal(read_numbers(values), [1.0, np.nan, 3.0])


def test_an_empty_column_of_text_holds_no_wrong_number():
    assert np.isnan(read_numbers(column([None, None], "str"))).all()


@pytest.mark.parametrize(
    ("read", "values", "expected"),
    [
        (read_numbers, column(["1", "2"]), "a str where a number"),
        (read_numbers, column([1, "two"], object), "a str where a number"),
        (read_numbers, column([pd.Timestamp("2020-01-01")]), "a Timestamp where a number"),
        (read_truths, column([0, 1, 2]), "where true or false"),
        (read_truths, column(["yes"]), "a str where a number"),
        (read_times, column([20200101]), "where a date or time"),
        (read_times, column(["yesterday"]), "a str where a date or time"),
        (read_levels, column([["a"], ["b"]]), "a list where a level"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_column_and_value(read, values, expected):
    with pytest.raises(DataError, match=r"column 'x'.*" + expected):
        read(values)


def test_truth_values_in_any_dress():
    for values in (
        column([True, None, False], object),
        column([True, None, False], "boolean"),
        column([1, np.nan, 0]),
    ):
        np.testing.assert_array_equal(read_truths(values), [1.0, np.nan, 0.0])
    np.testing.assert_array_equal(read_truths(column([True, False])), [1.0, 0.0])


@pytest.mark.parametrize(
    "values",
    [
        column(pd.to_datetime(["2024-03-01T12:00", None])),
        column(pd.to_datetime(["2024-03-01T12:00", None]).tz_localize("UTC")),
        column(pd.to_datetime(["2024-03-01T07:00", None]).tz_localize("America/New_York")),
        column(["2024-03-01T12:00:00Z", None]),
        column(["2024-03-01T12:00:00", None], object),
        column([datetime.datetime(2024, 3, 1, 12), None], object),
    ],
    ids=lambda values: str(values.dtype),
)
def test_times_in_any_dress_are_universal_time(values):
    times = read_times(values)
    assert times[0] == pd.Timestamp("2024-03-01T12:00")
    assert times.isna().tolist() == [False, True]


def test_a_date_is_its_midnight():
    assert read_times(column([datetime.date(2024, 3, 1)], object))[0] == pd.Timestamp("2024-03-01")


def test_a_level_reads_the_same_from_every_dtype():
    for values in (
        column([5, None], "Int64"),
        column([5.0, np.nan]),
        column([5, None], object),
        column(["5", None]),
        column(["5", None], "category"),
        column(pd.Categorical([5, None])),
    ):
        positions, names = read_levels(values)
        assert names[positions[0]] == "5"
        assert positions[1] == -1


def test_level_names():
    assert [level_name(v) for v in ("a", 5, 5.0, 5.5, np.float32(2), True, float("inf"))] == [
        "a", "5", "5", "5.5", "2", "True", "inf",
    ]  # fmt: skip
    assert level_name(datetime.date(2020, 1, 2)) == "2020-01-02"
