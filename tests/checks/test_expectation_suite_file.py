"""A suite is read before any data, and everything wrong with it is told at once."""

from pathlib import Path

import pytest

from goodfit.checks import catalog, parse_suite, read_suite
from goodfit.errors import ConfigurationError

BETWEEN = "expect_column_values_to_be_between"


def faults_of(*items: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_suite({"expectations": list(items)}, "suite.yaml")
    assert caught.value.exit_code == 2
    return [str(fault) for fault in caught.value.faults]


def test_a_suite_is_read_with_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text("expectations:\n  - {expectation: expect_column_values_to_not_be_null, column: a, mostly: 9e-1}\n")
    (rule,) = read_suite(path)
    assert (rule.name, rule.columns, rule.severity, rule.implied) == (
        "expect_column_values_to_not_be_null",
        ("a",),
        "critical",
        False,
    )
    assert rule.arguments["mostly"] == 0.9


def test_every_fault_is_told_at_once() -> None:
    faults = faults_of(
        {"expectation": "expect_column_values_to_be_betwen", "column": "a", "min_value": 0},
        {"expectation": BETWEEN, "column": "a", "min_valeu": 0, "max_value": 1},
        {"expectation": BETWEEN, "column": "a", "min_value": 0, "severity": "fatal"},
        {"expectation": BETWEEN, "min_value": 0},
        "expect_column_to_exist",
        {"column": "a"},
    )
    told = "\n".join(faults)
    assert len(faults) == 6
    assert "Did you mean 'expect_column_values_to_be_between'?" in faults[0]
    assert "suite.yaml: expectations.1.min_valeu" in faults[1] and "Did you mean 'min_value'?" in faults[1]
    assert "unknown severity" in faults[2] and "critical, info, warning" in faults[2]
    assert "expectations.3.column: is missing" in faults[3]
    assert "must be a mapping" in told and "Name an expectation" in told


WRONG_TYPES = [
    ({"min_value": "5"}, "a number or an ISO date"),
    ({"min_value": True}, "a number or an ISO date"),
    ({"min_value": "soon"}, "a number or an ISO date"),
    ({"min_value": float("nan")}, "a number or an ISO date"),
    ({"min_value": 10**400}, "a number or an ISO date"),
    ({"min_value": 0, "mostly": "most"}, "needs a number"),
    ({"min_value": 0, "mostly": 2}, "less than or equal to 1"),
    ({"min_value": 0, "mostly": 0}, "every table passes"),
    ({"min_value": 0, "strict_min": 1}, "needs true or false"),
    ({"min_value": 0, "column": 7}, "needs text"),
    ({"min_value": 5, "max_value": 1}, "is above max_value"),
    ({"min_value": "2024-02-01", "max_value": "2024-01-01"}, "is above max_value"),
    ({"min_value": "2024-02-01", "max_value": 3}, "mixes a number and a date"),
    ({}, "sets neither min_value nor max_value"),
    ({"min_value": 0, "row_condition": "b > 1"}, "a condition that no row meets would pass"),
    ({"min_value": 0, "notes": 3}, "needs text"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG_TYPES)
def test_a_wrong_argument_is_refused(arguments: dict[str, object], message: str) -> None:
    (fault,) = faults_of({"expectation": BETWEEN, "column": "a"} | arguments)
    assert message in fault


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"expectation": "expect_column_values_to_be_in_set", "column": "a", "value_set": "x"}, "needs a list"),
        ({"expectation": "expect_column_values_to_be_in_set", "column": "a"}, "value_set: is missing"),
        ({"expectation": "expect_column_values_to_be_of_type", "column": "a", "type_": "int8"}, "unknown type"),
        ({"expectation": "expect_column_values_to_match_regex", "column": "a", "regex": 5}, "needs text"),
        ({"expectation": "expect_table_row_count_to_be_between", "min_value": 1.5}, "a whole number"),
        ({"expectation": "expect_compound_columns_to_be_unique", "column_list": [1, 2]}, "must hold column names"),
        ({"expectation": ["a"]}, "unknown expectation"),
        ({"expectation": "unexpected_rows_expectation"}, "unknown expectation"),
        ({"expectation": "expect_column_values_to_match_like_pattern", "column": "a"}, "unknown expectation"),
    ],
)
def test_other_expectations_check_their_arguments_too(item: dict[str, object], message: str) -> None:
    assert any(message in fault for fault in faults_of(item))


def test_a_converting_library_would_have_let_them_pass() -> None:
    """The trap: Great Expectations turns text and truth values into numbers without a word."""
    built = catalog.expectations()[BETWEEN](column="a", min_value="5", max_value=True + 5)
    assert built.min_value == 5.0


@pytest.mark.parametrize("tree", [{}, {"expectations": {}}, {"expectation": []}, {"expectations": None}])
def test_a_file_without_a_list_is_refused(tree: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="must be a list"):
        parse_suite(tree, "suite.yaml")


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="goodfit expectations draft"):
        read_suite(tmp_path / "none.yaml")


def test_the_catalog_holds_what_runs_on_pandas() -> None:
    known = catalog.expectations()
    assert len(known) > 40
    assert not any("like_pattern" in name or "query" in name for name in known)
    assert catalog.is_row_level(BETWEEN) and not catalog.is_row_level("expect_column_values_to_be_of_type")
