"""A drafted suite is one that its own data pass, whatever the data are."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from goodfit.checks import draft, draft_text, parse_suite, read_suite
from goodfit.checks.engine import evaluate
from goodfit.checks.flow import flow
from goodfit.checks.margins import date_range, number_range, share_below
from goodfit.checks.partners import with_partners
from goodfit.data import SchemaSection
from goodfit.data.table import to_pandas
from goodfit.errors import ConfigurationError, DataError

TYPES = {
    pa.int8(): st.integers(-128, 127),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.float64(): st.floats(allow_nan=False),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=8),
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("s", "Europe/Berlin"): st.datetimes(),
    pa.date32(): st.dates(),
}
NAMES = st.text(min_size=1, max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Draw a table of the types that a source may deliver, with gaps."""
    rows = draw(st.integers(1, 12))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    columns = {}
    for name in names:
        kind = draw(st.sampled_from(list(TYPES)))
        cell = draw(st.sampled_from([TYPES[kind], st.none() | TYPES[kind], st.none()]))
        values = pa.array(draw(st.lists(cell, min_size=rows, max_size=rows)), kind)
        encode = pa.types.is_string(kind) and draw(st.booleans())
        columns[name] = values.dictionary_encode() if encode else values
    return to_pandas(pa.table(columns))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(frame=tables(), data=st.data())
def test_a_draft_passes_on_its_own_data(frame: pd.DataFrame, data: st.DataObject) -> None:
    learnable = [name for name in frame.columns if not pd.api.types.is_datetime64_any_dtype(frame[name])]
    targets = learnable if len(frame.columns) > 1 else []
    target = data.draw(st.sampled_from([None, *targets]))
    section = None if target is None else SchemaSection(target=target)
    suite = parse_suite(draft(frame, section), "draft")
    outcomes = evaluate(frame, with_partners(suite))
    assert {"expect_table_row_count_to_be_between"} <= {o.expectation.name for o in outcomes}
    assert [o for o in outcomes if not o.success] == []


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(frame=tables())
def test_the_written_draft_is_the_draft(frame: pd.DataFrame) -> None:
    assert YAML(typ="safe", pure=True).load(draft_text(frame)) == draft(frame)


def frame() -> pd.DataFrame:
    rows = 100
    return pd.DataFrame(
        {
            "key": range(rows),
            "kind": ["a", "b", "no", "1e-3"] * 25,
            "amount": np.linspace(10, 90, rows),
            "holes": [None, *([1.0] * 99)],
            "empty": pd.Series([None] * rows, dtype="float64"),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(range(rows), unit="D"),
            "y": [0, 1, 2, 2] * 25,
        }
    )


def test_each_kind_of_column_gets_its_rules() -> None:
    section = SchemaSection(target="y", id=["key"])
    rules = {(r["expectation"], r.get("column")): r for r in draft(frame(), section)["expectations"]}
    between, in_set = "expect_column_values_to_be_between", "expect_column_values_to_be_in_set"
    not_null = "expect_column_values_to_not_be_null"
    assert rules[("expect_column_values_to_be_unique", "key")]["severity"] == "critical"
    assert (between, "key") not in rules
    assert rules[(in_set, "kind")]["value_set"] == ["1e-3", "a", "b", "no"]
    assert rules[(between, "amount")] == {
        **{"expectation": between, "column": "amount", "severity": "warning"},
        **{"min_value": 2, "max_value": 98},
    }
    assert rules[(not_null, "holes")] == {
        **{"expectation": not_null, "column": "holes", "severity": "warning", "mostly": 0.98}
    }
    assert rules[("expect_column_values_to_be_null", "empty")]["severity"] == "info"
    assert rules[(between, "when")]["min_value"] == "2023-12-22"
    assert rules[(in_set, "y")] == {
        **{"expectation": in_set, "column": "y", "severity": "critical", "value_set": [0, 1, 2]}
    }
    assert rules[("expect_table_columns_to_match_set", None)]["column_set"] == list(frame().columns)


def test_keys_and_ignored_columns_are_treated_as_such() -> None:
    unguided = {(r["expectation"], r.get("column")) for r in draft(frame())["expectations"]}
    assert ("expect_column_values_to_be_unique", "key") in unguided
    section = SchemaSection(target="y", ignore=["amount"], id=["key", "when"])
    guided = draft(frame(), section)["expectations"]
    assert not any(rule.get("column") == "amount" for rule in guided)
    assert any(rule.get("column_list") == ["key", "when"] for rule in guided)


def test_the_text_tells_what_was_seen(tmp_path: Path) -> None:
    text = draft_text(frame())
    assert "# amount: float64, 10.0 to 90.0" in text and "# empty: no value at all" in text
    assert "# holes: float64, 1.0 to 1.0, 1 missing" in text
    strange = pd.DataFrame({"a\nexpectations: []": [1, 2]})
    assert YAML(typ="safe", pure=True).load(draft_text(strange)) == draft(strange)


def test_a_draft_needs_a_table_that_the_schema_fits() -> None:
    with pytest.raises(ConfigurationError, match="no column 'keys'"):
        draft(frame(), SchemaSection(target="y", id=["keys"]))
    with pytest.raises(DataError, match="more than once"):
        draft(frame().rename(columns={"when": "kind"}), SchemaSection(target="y"))


def test_a_table_of_ten_thousand_columns_gets_a_suite_that_can_be_read(tmp_path: Path) -> None:  # C45
    frame = pd.DataFrame(np.arange(20_000.0).reshape(2, -1), columns=[f"c{number}" for number in range(10_000)])
    path = tmp_path / "suite.yaml"
    path.write_text(draft_text(frame, SchemaSection(target="c9999", id=["c9998"])))
    suite = read_suite(path)
    named = {expectation.arguments["column"] for expectation in suite if "column" in expectation.arguments}
    assert named == {f"c{number}" for number in [*range(300), 9998, 9999]}
    assert "9,698 more columns have no rules of their own" in path.read_text()


def test_no_rows_are_no_draft() -> None:
    with pytest.raises(DataError, match="no rows"):
        draft(frame().head(0))


@pytest.mark.parametrize(
    ("low", "high", "whole", "bounds"),
    [
        (0, 72, True, (0, 80)),
        (18.25, 118.75, False, (0.0, 130.0)),
        (-5, 5, True, (-6, 6)),
        (-7, -3, False, (-7.4, -2.6)),
        (5, 5, True, (4, 6)),
        (0, 0, False, (0, 1)),
        (float("-inf"), 3, False, (None, 3.3)),
        (-1.7e308, 1.7e308, False, None),
    ],
)
def test_ranges_leave_room_and_keep_their_sign(
    low: float, high: float, whole: bool, bounds: tuple[float, float] | None
) -> None:
    found = number_range(low, high, whole=whole)
    if bounds is not None:
        assert (found.get("min_value"), found.get("max_value")) == bounds
    assert found.get("min_value", low) <= low and found.get("max_value", high) >= high


def test_dates_beyond_the_calendar_set_no_bound() -> None:
    assert set(date_range(-7e16, 0)) == {"max_value"}


@pytest.mark.parametrize(("share", "wanted"), [(1.0, 1.0), (0.99, 0.98), (0.5, 0.0), (0.1, 0.0)])
def test_shares_leave_room_for_twice_the_exceptions(share: float, wanted: float) -> None:
    assert share_below(share) == wanted


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    value=st.dictionaries(
        st.text(),
        st.lists(st.text() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers()),
    )
)
@example(
    {"?b": ["\x85", "no", "1e-3", "a: b", "# c", "\u2028", "\ud7ff", "\U0001f600", " a", "a ", "- x", "[", "{", ""]}
)
def test_what_is_written_on_one_line_is_read_back(value: dict[str, list[object]]) -> None:
    assert YAML(typ="safe", pure=True).load(flow(value)) == value


def test_ruamels_own_writer_loses_a_character() -> None:
    stream = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = True
    writer.dump({"column": "a\x85b"}, stream)
    assert writer.load(stream.getvalue()) != {"column": "a\x85b"}
