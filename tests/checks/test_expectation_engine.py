"""Great Expectations on every type a column can have; what it cannot judge counts as failed."""

import contextlib
import datetime
import io
import socket
from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.checks import Expectation, catalog, engine
from goodfit.checks.engine import evaluate

BETWEEN = "expect_column_values_to_be_between"
NUMERIC = ["int8", "int16", "int32", "int64", "uint8", "uint64", "float32", "float64", "Int8", "Int64", "UInt64"]


def between(low: Any = None, high: Any = None, **more: Any) -> Expectation:
    bounds = {key: value for key, value in (("min_value", low), ("max_value", high)) if value is not None}
    return Expectation(BETWEEN, {"column": "a"} | bounds | more)


@pytest.mark.parametrize("dtype", NUMERIC)
def test_a_range_counts_the_rows_outside_it_for_every_numeric_type(dtype: str) -> None:
    gaps = [None] if dtype[0] in "IU" else []
    frame = pd.DataFrame({"a": pd.array([1, 5, 9, 100, *gaps], dtype=dtype)})
    good, bad = evaluate(frame, [between(1, 100), between(2, 50)], rows_up_to=9)
    assert good.success and good.unexpected == 0
    assert not bad.success and bad.unexpected == 2 and bad.observed == [1, 100]
    assert bad.rows is not None and bad.rows.tolist() == [0, 3]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_iso_bounds_work_on_times(unit: str, zone: str | None) -> None:
    moments = pd.Series(pd.to_datetime(["2024-01-01 11:00", "2024-01-01 13:00", None])).dt.as_unit(unit)
    frame = pd.DataFrame({"a": moments.dt.tz_localize(zone) if zone else moments})
    low = "2024-01-01T12:00:00" if zone != "America/New_York" else "2024-01-01T12:00:00-05:00"
    good, bad = evaluate(frame, [between("2023-12-31", datetime.date(2024, 1, 3)), between(low)], rows_up_to=3)
    assert good.success
    assert not bad.success and bad.unexpected == 1 and bad.rows is not None and bad.rows.tolist() == [0]
    assert bad.observed == (["2024-01-01T16:00:00"] if zone == "America/New_York" else ["2024-01-01T11:00:00"])


def test_text_bounds_on_times_would_end_in_an_exception_without_the_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"a": pd.to_datetime(["2024-01-01", "2024-06-01"])})
    rule = between("2023-01-01", "2025-01-01")
    assert evaluate(frame, [rule])[0].success
    monkeypatch.setattr(engine, "arguments_for", lambda expectation, frame: dict(expectation.arguments))
    monkeypatch.setattr(engine, "shaped", lambda frame, columns, view, kept: frame)
    (outcome,) = evaluate(frame, [rule])
    assert not outcome.success and "cannot be judged" in str(outcome.observed)


def test_statistics_of_times_are_told_as_times() -> None:
    frame = pd.DataFrame({"a": pd.to_datetime(["2024-01-01", "2024-06-01"])})
    rule = Expectation("expect_column_max_to_be_between", {"column": "a", "max_value": "2024-03-01"})
    (outcome,) = evaluate(frame, [rule])
    assert not outcome.success and outcome.observed == "2024-06-01T00:00:00"


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_a_set_of_dates_is_compared_as_dates(zone: str | None) -> None:
    frame = pd.DataFrame({"a": pd.to_datetime(["2024-01-01", "2024-06-01"]).tz_localize(zone)})
    name = "expect_column_values_to_be_in_set"
    good, bad, wrong = evaluate(
        frame,
        [
            Expectation(name, {"column": "a", "value_set": ["2024-01-01", "2024-06-01"]}),
            Expectation(name, {"column": "a", "value_set": ["2024-01-01"]}),
            Expectation(name, {"column": "a", "value_set": [7]}),
        ],
    )
    assert good.success and not bad.success and bad.unexpected == 1
    assert not wrong.success and "write ISO dates" in str(wrong.observed)


@pytest.mark.parametrize(
    ("values", "rule", "message"),
    [
        (pd.to_datetime(["2024-01-01"]), between(0, 5), "the column holds times"),
        ([1.0], between("2024-01-01"), "does not hold times"),
        (["x"], between(0, 5), "cannot be judged"),
        ([1], Expectation("expect_column_value_lengths_to_equal", {"column": "b", "value": 1}), "no column 'b'"),
    ],
)
def test_what_cannot_be_judged_has_failed(values: Any, rule: Expectation, message: str) -> None:
    (outcome,) = evaluate(pd.DataFrame({"a": values}), [rule])
    assert not outcome.success and message in str(outcome.observed)


def test_repeated_columns_fail_and_the_library_alone_ends_in_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])
    (outcome,) = evaluate(frame, [between(0, 9)])
    assert not outcome.success and "several columns 'a'" in str(outcome.observed)
    monkeypatch.setattr(engine, "_missing", lambda frame, columns, batch: {})
    monkeypatch.setattr(engine, "arguments_for", lambda expectation, frame: dict(expectation.arguments))
    monkeypatch.setattr(engine, "shaped", lambda frame, columns, view, kept: frame)
    (outcome,) = evaluate(frame, [between(0, 9)])
    assert not outcome.success and "cannot be judged" in str(outcome.observed)


def test_an_exception_is_a_failure_in_both_of_the_librarys_shapes() -> None:
    flat = {"raised_exception": True, "exception_message": "boom"}
    assert engine._exception(flat) == "boom"
    assert engine._exception({"metric": flat}) == "boom"
    assert engine._exception({"raised_exception": False}) is None


def test_all_offending_rows_are_named_though_the_library_lists_only_200_values() -> None:
    frame = pd.DataFrame({"a": np.arange(1000)})
    (outcome,) = evaluate(frame, [between(500)], rows_up_to=1000)
    assert outcome.rows is not None and outcome.rows.tolist() == list(range(500))
    validator = engine._validator(frame)
    configured = engine._configured(between(500), {"column": "a", "min_value": 500}, 0)
    with catalog.hushed():
        (result,) = validator.graph_validate([configured], {"result_format": {"result_format": "COMPLETE"}})
    assert len(result.result["unexpected_list"]) == 200


def test_only_kept_rows_are_judged() -> None:
    frame = pd.DataFrame({"a": [1, 50, 2], "b": ["x", None, "y"]})
    rules = [
        between(0, 9),
        Expectation("expect_column_values_to_not_be_null", {"column": "b"}),
        Expectation("expect_table_row_count_to_equal", {"value": 2}),
    ]
    assert [o.success for o in evaluate(frame, rules)] == [False, False, False]
    assert [o.success for o in evaluate(frame, rules, kept=np.array([True, False, True]))] == [True, True, True]


def test_rows_are_not_looked_for_beyond_the_limit() -> None:
    (outcome,) = evaluate(pd.DataFrame({"a": np.arange(10)}), [between(5)], rows_up_to=4)
    assert outcome.unexpected == 5 and outcome.rows is None


@pytest.mark.parametrize(
    ("name", "arguments", "values", "rows"),
    [
        ("expect_column_values_to_not_be_null", {}, ["x", None, "y"], [1]),
        ("expect_column_values_to_be_unique", {}, ["x", "y", "x"], [0, 2]),
        ("expect_column_values_to_be_in_set", {"value_set": ["x"]}, pd.Categorical(["x", "y", None]), [1]),
        ("expect_column_values_to_match_regex", {"regex": "^x"}, pd.Categorical(["x", "y"]), [1]),
        ("expect_column_value_lengths_to_be_between", {"max_value": 1}, ["x", None, "yy"], [2]),
        ("expect_column_values_to_be_in_set", {"value_set": [True]}, pd.array([True, None, False], "boolean"), [2]),
        ("expect_column_values_to_not_match_regex", {"regex": "y"}, ["x", "y"], [1]),
    ],
)
def test_rows_are_found_for_every_kind_of_rule(name: str, arguments: Any, values: Any, rows: list[int]) -> None:
    (outcome,) = evaluate(pd.DataFrame({"a": values}), [Expectation(name, {"column": "a"} | arguments)], rows_up_to=9)
    assert not outcome.success and outcome.rows is not None and outcome.rows.tolist() == rows


def test_rows_of_rules_over_several_columns() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0, 5, 1], "c": pd.array([1, None, 3], "Int64")})
    greater, unique, equal = evaluate(
        frame,
        [
            Expectation("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "a", "column_B": "b"}),
            Expectation("expect_compound_columns_to_be_unique", {"column_list": ["a", "b"]}),
            Expectation(
                "expect_column_pair_values_to_be_equal",
                {"column_A": "a", "column_B": "c", "ignore_row_if": "either_value_is_missing"},
            ),
        ],
        rows_up_to=3,
    )
    assert greater.rows is not None and greater.rows.tolist() == [1]
    assert unique.success and equal.success


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (pd.array([1, None], "Int8"), "int64"),
        (pd.array([1, 2], "uint16"), "int64"),
        (pd.array([1.5], "float32"), "float64"),
        (pd.array([True, None], "boolean"), "bool"),
        (pd.to_datetime(["2024-01-01"]).as_unit("s"), "datetime64"),
        (pd.to_datetime(["2024-01-01"]).tz_localize("UTC"), "datetime64"),
        (["x"], "str"),
        (pd.Categorical(["x"]), "str"),
    ],
)
def test_types_are_what_they_mean_whatever_their_width(values: Any, name: str) -> None:
    rules = [
        Expectation("expect_column_values_to_be_of_type", {"column": "a", "type_": other})
        for other in catalog.TYPE_NAMES
    ]
    listed = Expectation("expect_column_values_to_be_in_type_list", {"column": "a", "type_list": [name]})
    *outcomes, in_list = evaluate(pd.DataFrame({"a": values}), [*rules, listed])
    assert [o.expectation.arguments["type_"] for o in outcomes if o.success] == [name]
    assert in_list.success


def test_nothing_is_sent_drawn_or_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    stream = io.StringIO()
    with contextlib.redirect_stderr(stream), contextlib.redirect_stdout(stream):
        evaluate(pd.DataFrame({"a": ["x"]}), [between(0, 1)])
    assert stream.getvalue() == ""
    assert engine._context().config.analytics_enabled is False


def test_importing_the_package_does_not_import_the_library() -> None:
    import subprocess
    import sys

    code = "import goodfit.checks, sys; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_column_that_is_not_there_is_told_in_one_sentence() -> None:
    frame = pd.DataFrame({"carrier": ["AA"], "distance": [1.0]})
    near, far = (Expectation("expect_column_values_to_not_be_null", {"column": name}) for name in ("carier", "zzz"))
    reasons = [outcome.observed for outcome in evaluate(frame, [near, far], rows_up_to=1)]
    assert reasons == ["the data have no column 'carier' (did you mean 'carrier'?)", "the data have no column 'zzz'"]
