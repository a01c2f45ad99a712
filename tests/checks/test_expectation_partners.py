"""The holes of Great Expectations, seen open without the partners and closed with them."""

import pandas as pd
import pytest

from goodfit.checks import Expectation
from goodfit.checks.engine import evaluate
from goodfit.checks.partners import NOT_NULL, ROW_COUNT, SHARE, with_partners

RULES = [
    Expectation("expect_column_values_to_be_between", {"column": "a", "min_value": 0, "max_value": 1}),
    Expectation("expect_column_values_to_be_in_set", {"column": "a", "value_set": [1, 2]}),
    Expectation("expect_column_values_to_be_unique", {"column": "a"}),
    Expectation("expect_column_distinct_values_to_be_in_set", {"column": "a", "value_set": [1]}),
    Expectation("expect_column_values_to_not_be_in_set", {"column": "a", "value_set": [1]}),
    Expectation("expect_column_values_to_match_regex", {"column": "a", "regex": "x"}),
]
EMPTY_TABLE = pd.DataFrame({"a": pd.Series([], dtype=object)})
ALL_NULL = pd.DataFrame({"a": [None, None, None]}, dtype=object)


@pytest.mark.parametrize("frame", [EMPTY_TABLE, ALL_NULL], ids=["empty table", "all-null column"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_nothing_passes_on_nothing(rule: Expectation, frame: pd.DataFrame) -> None:
    (alone,) = evaluate(frame, [rule])
    assert alone.success, "the trap is gone: the library fails this by itself, so the defence can be dropped"
    together = evaluate(frame, with_partners([rule]))
    failed = [outcome for outcome in together if not outcome.success]
    assert failed and all(outcome.expectation.implied for outcome in failed)
    assert any(outcome.expectation.severity == rule.severity for outcome in failed)


def implied(*suite: Expectation) -> list[tuple[str, str]]:
    return [(e.name, e.severity) for e in with_partners(suite) if e.implied]


def test_a_written_not_null_is_the_partner() -> None:
    rows = Expectation(ROW_COUNT, {"min_value": 10})
    partial = Expectation(NOT_NULL, {"column": "a", "mostly": 0.5})
    assert implied(rows, partial, RULES[0]) == []
    assert implied(rows, Expectation(SHARE, {"column": "a", "min_value": 0.1}), RULES[0]) == []
    assert implied(rows, RULES[0]) == [(NOT_NULL, "critical")]


def test_a_partner_less_severe_than_its_rule_leaves_no_hole() -> None:
    rows = Expectation(ROW_COUNT, {"min_value": 1})
    soft = Expectation(NOT_NULL, {"column": "a", "mostly": 0.5}, "warning")
    assert implied(rows, soft, RULES[0]) == [(SHARE, "critical")]
    outcomes = evaluate(ALL_NULL, with_partners([rows, soft, RULES[0]]))
    assert any(not o.success and o.expectation.severity == "critical" for o in outcomes)


def test_one_partner_of_the_gravest_severity_per_column() -> None:
    soft = Expectation("expect_column_max_to_be_between", {"column": "a", "max_value": 5}, "info")
    pair = Expectation("expect_column_pair_values_to_be_equal", {"column_A": "a", "column_B": "b"}, "warning")
    assert implied(soft, pair) == [(ROW_COUNT, "critical"), (NOT_NULL, "warning"), (NOT_NULL, "warning")]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (Expectation(ROW_COUNT, {"max_value": 9}), [(ROW_COUNT, "critical")]),
        (Expectation(ROW_COUNT, {"min_value": 0}), [(ROW_COUNT, "critical")]),
        (Expectation(ROW_COUNT, {"min_value": 5}, "warning"), [(ROW_COUNT, "critical")]),
        (Expectation("expect_table_row_count_to_equal", {"value": 5}), []),
    ],
)
def test_a_row_is_demanded_unless_the_suite_demands_one(rule: Expectation, wanted: list[tuple[str, str]]) -> None:
    assert implied(rule) == wanted


def test_rules_about_absence_and_types_need_no_partner() -> None:
    rules = [
        Expectation("expect_column_values_to_be_null", {"column": "a"}),
        Expectation("expect_column_values_to_be_of_type", {"column": "a", "type_": "str"}),
        Expectation("expect_column_to_exist", {"column": "a"}),
    ]
    assert implied(Expectation(ROW_COUNT, {"min_value": 1}), *rules) == []
