"""The fault plan's groups of bad data that reach validation, each with its verdict."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from goodfit.checks import ValidateSection, draft, judge, parse_suite, validate
from goodfit.data import SchemaSection
from goodfit.errors import DataError, GateError

SCHEMA = SchemaSection(target="y", id=["id"])
SECTION = ValidateSection(suite="x.yaml")
Change = Callable[[pd.DataFrame], pd.DataFrame]


def good(rows: int = 200) -> pd.DataFrame:
    numbers = np.arange(rows)
    return pd.DataFrame(
        {
            "id": numbers,
            "age": 20 + numbers % 50,
            "income": 100.0 + numbers,
            "city": np.where(numbers % 3, "Rome", "Oslo"),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(numbers, unit="D"),
            "y": numbers % 2,
        }
    )


SUITE = parse_suite(draft(good(), SCHEMA), "draft")

STOPPED: dict[str, tuple[Change, str]] = {
    "C26 a letter in a numeric column": (lambda t: t.assign(age=t["age"].astype(str)), "to_be_of_type(age)"),
    "C32 all-null feature": (lambda t: t.assign(city=pd.Series([None] * len(t), dtype="str")), "not_be_null(city)"),
    "C32 all-NaN feature": (lambda t: t.assign(income=np.nan), "not_be_null(income)"),
    "C37 repeated key": (lambda t: t.assign(id=t["id"] // 2), "to_be_unique(id)"),
    "C39 extra column": (lambda t: t.assign(extra=1), "columns_to_match_set"),
    "C40 missing column": (lambda t: t.drop(columns="city"), "have no column 'city'"),
    "C41 unseen category": (lambda t: t.replace({"city": {"Oslo": "Bergen"}}), "in_set(city)"),
    "C42 100,000 levels": (lambda t: t.assign(city=[f"city {n}" for n in range(len(t))]), "in_set(city)"),
    "C43 one row": (lambda t: t.head(2), "row_count"),
}
REFUSED: dict[str, tuple[Change, str]] = {
    "C2 header only": (lambda t: t.head(0), "no value at all"),
    "C5 repeated name": (lambda t: t.rename(columns={"city": "age"}), "occurs more than once"),
    "C31 all-NaN target": (lambda t: t.assign(y=np.nan), "no value at all"),
    "C33 single class": (lambda t: t.assign(y=1), "a single class"),
}
WARNED: dict[str, tuple[Change, str]] = {
    "C35 constant column": (lambda t: t.assign(age=30), "column_varies"),
    "C36 every row twice": (
        lambda t: pd.concat([t, t], ignore_index=True).assign(id=range(2 * len(t))),
        "expect_compound_columns_to_be_unique",
    ),
    "C52 negative age": (lambda t: t.assign(age=t["age"].mask(t["id"] == 3, -7)), "expect_column_values_to_be_between"),
    "C52 a date to come": (
        lambda t: t.assign(since=t["since"].mask(t["id"] == 3, pd.Timestamp("2190-01-01"))),
        "expect_column_values_to_be_between",
    ),
    "C25 infinity": (lambda t: t.assign(income=t["income"].mask(t["id"] == 3, np.inf)), "values_to_be_between"),
}


@pytest.mark.parametrize("case", STOPPED)
def test_stopped_by_the_gate(case: str, tmp_path: Path) -> None:
    change, message = STOPPED[case]
    with pytest.raises(GateError) as caught:
        validate(change(good()), SUITE, SCHEMA, SECTION, tmp_path)
    assert message in str(caught.value)


@pytest.mark.parametrize("case", REFUSED)
def test_refused_as_data(case: str, tmp_path: Path) -> None:
    change, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        validate(change(good()), SUITE, SCHEMA, SECTION, tmp_path)


@pytest.mark.parametrize("case", WARNED)
def test_let_through_with_a_warning(case: str, tmp_path: Path) -> None:
    change, name = WARNED[case]
    verdict = validate(change(good()), SUITE, SCHEMA, SECTION, tmp_path)
    failed = [(o.expectation.name, o.expectation.severity) for o in verdict.failed]
    assert any(name in failure and severity == "warning" for failure, severity in failed)


def test_c38_the_order_of_columns_does_not_matter() -> None:
    plain = judge(good(), SUITE, SCHEMA, SECTION)
    turned = judge(good()[list(reversed(good().columns))], SUITE, SCHEMA, SECTION)
    assert plain.success and turned.success
    assert plain.to_dict() == turned.to_dict()


def test_an_empty_table_fails_its_suite_as_well() -> None:
    verdict = judge(good().head(0), SUITE, SCHEMA, SECTION)
    assert not verdict.success
    assert any("row_count" in outcome.expectation.name for outcome in verdict.standing)


def test_a_constant_regression_target_leaves_nothing_to_learn() -> None:
    verdict = judge(good().assign(y=0.5), SUITE, SCHEMA, SECTION)
    assert [
        (o.expectation.name, o.expectation.columns) for o in verdict.standing if "varies" in o.expectation.name
    ] == [("column_varies", ("y",))]


def test_a_constant_head_is_not_a_constant_column() -> None:
    frame = pd.DataFrame({"a": [0] * 20_000 + [1], "y": [0, 1] * 10_000 + [0]})
    verdict = judge(frame, (), SchemaSection(target="y"), SECTION)
    assert verdict.success and not verdict.failed
