"""What each strategy promises beyond what all of them do."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.errors import ConfigurationError, DataError
from goodfit.splits import headline, split_table

SHARES = [0.7, 0.15, 0.15]


def test_stratified_keeps_the_shares_of_each_class(rows: pd.DataFrame, table: Any, section: Any) -> None:
    parts = split_table(table(rows, id=["key"]), section("stratified"), 1)
    for label, counts in parts.class_counts.items():
        assert np.abs(np.array(counts) - np.array(SHARES) * (rows["y"] == label).sum()).max() <= 1


def test_random_does_not(rows: pd.DataFrame, table: Any, section: Any) -> None:
    counts = [split_table(table(rows), section("random"), seed).class_counts["maybe"] for seed in range(8)]
    assert len(set(counts)) > 1


def test_stratified_regression_deals_out_each_range_of_the_target(table: Any, section: Any) -> None:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"a": generator.normal(size=2000), "y": generator.lognormal(size=2000)})
    parts = split_table(table(frame), section("stratified", bins=20), 1)
    for quantile in np.linspace(0.05, 0.95, 19):
        edge = frame["y"].quantile(quantile)
        shares = [(parts.part(name).frame["y"] <= edge).mean() for name in ("train", "valid", "test")]
        assert shares == pytest.approx([quantile] * 3, abs=0.01)


@pytest.mark.parametrize("target", ["text", "boolean", "category", "number"])
def test_any_kind_of_class_can_be_stratified(target: str, table: Any, section: Any) -> None:
    kinds = {
        "text": pd.Series(["a", "b"] * 50),
        "boolean": pd.Series([True, False] * 50, dtype="boolean"),
        "category": pd.Series(["a", "b"] * 50, dtype="category"),
        "number": pd.Series([3, 7] * 50, dtype="Int64"),
    }
    parts = split_table(table(pd.DataFrame({"a": range(100), "y": kinds[target]})), section("stratified"), 1)
    assert all(sum(counts) == 50 and min(counts) >= 7 for counts in parts.class_counts.values())


def test_no_group_is_torn_even_when_copies_tie_groups_together(rows: pd.DataFrame, table: Any, section: Any) -> None:
    rows.loc[[10, 20], ["size", "color", "y"]] = [0.5, "red", "no"]
    parts = split_table(table(rows, id=["key"], group="who"), section("group"), 1)
    assert rows.assign(code=parts.codes).groupby("who")["code"].nunique().max() == 1
    assert parts.codes[10] == parts.codes[20]


def test_random_tears_groups(rows: pd.DataFrame, table: Any, section: Any) -> None:
    parts = split_table(table(rows, id=["key"], group="who"), section("random"), 1)
    assert rows.assign(code=parts.codes).groupby("who")["code"].nunique().max() > 1


def test_groups_that_copies_tie_into_one_are_refused_with_a_way_out(table: Any, section: Any) -> None:
    frame = pd.DataFrame({"who": np.arange(90) // 3, "a": np.arange(90) % 3 * 1.0, "y": ["n", "y", "n"] * 30})
    with pytest.raises(DataError, match=r"leave none for valid and test.*set split.duplicates: allow"):
        split_table(table(frame, group="who"), section("group"), 1)
    parts = split_table(table(frame, group="who"), section("group", duplicates="allow"), 1)
    assert parts.rows == {"train": 63, "valid": 12, "test": 15}


def test_group_and_time_need_their_column(rows: pd.DataFrame, table: Any, section: Any) -> None:
    for kind in ("group", "time"):
        with pytest.raises(ConfigurationError, match=f"schema.{kind}: split.kind: {kind} needs"):
            split_table(table(rows), section(kind), 1)


def test_two_groups_do_not_make_three_splits(rows: pd.DataFrame, table: Any, section: Any) -> None:
    with pytest.raises(DataError, match="kind 'group' leave none for"):
        split_table(table(rows.assign(who=rows["who"] % 2), group="who"), section("group"), 1)


MOMENTS = {
    "moments": lambda when: when,
    "moments with a zone": lambda when: when.dt.tz_localize("Europe/Berlin"),
    "dates": lambda when: when.astype("M8[ms]"),
    "numbers": lambda when: (when - when.min()).dt.days,
    "numbers with gaps in dtype": lambda when: (when - when.min()).dt.days.astype("Int64"),
}


@pytest.mark.parametrize("case", MOMENTS)
def test_time_is_ordered_and_no_moment_is_torn(case: str, rows: pd.DataFrame, table: Any, section: Any) -> None:
    frame = rows.assign(when=MOMENTS[case](rows["when"]))
    parts = split_table(table(frame, time="when"), section("time"), 1)
    train, valid, test = (parts.part(name).frame["when"] for name in ("train", "valid", "test"))
    assert train.max() < valid.min() and valid.max() < test.min()
    assert frame.assign(code=parts.codes).groupby("when")["code"].nunique().max() == 1


@pytest.mark.parametrize(
    ("case", "gap", "days"), [("moments", "10D", 10), ("moments", "36h", 1.5), ("numbers", 10, 10)]
)
def test_a_gap_is_left_out(case: str, gap: Any, days: float, rows: pd.DataFrame, table: Any, section: Any) -> None:
    frame = rows.assign(when=MOMENTS[case](rows["when"]))
    plain = split_table(table(frame, time="when"), section("time"), 1)
    parts = split_table(table(frame, time="when"), section("time", gap=gap), 1)
    train, valid, test = (parts.part(name).frame["when"] for name in ("train", "valid", "test"))
    wide = pd.Timedelta(days, "D") if case == "moments" else days
    assert valid.min() - train.max() >= wide and test.min() - valid.max() >= wide
    assert parts.left_out > 0 and sum(parts.rows.values()) + parts.left_out == len(frame)
    assert parts.rows["test"] == plain.rows["test"]
    assert "left out" in headline(parts)


@pytest.mark.parametrize(
    ("case", "gap", "says"),
    [
        ("moments", "a while", "is no duration"),
        ("moments", 7, "needs a unit"),
        ("moments", "-7D", "must not be negative"),
        ("numbers", "7D", "must be a number"),
        ("numbers", -1, "must not be negative"),
    ],
)
def test_a_gap_that_means_nothing_is_refused(
    case: str, gap: Any, says: str, rows: pd.DataFrame, table: Any, section: Any
) -> None:
    frame = rows.assign(when=MOMENTS[case](rows["when"]))
    with pytest.raises(ConfigurationError, match=f"split.gap: {says}"):
        split_table(table(frame, time="when"), section("time", gap=gap), 1)


def test_a_gap_that_swallows_a_split_is_refused(rows: pd.DataFrame, table: Any, section: Any) -> None:
    with pytest.raises(DataError, match=r"leave none for train and valid \(\d+ are left out in gaps\)"):
        split_table(table(rows, time="when"), section("time", gap="900D"), 1)


def test_time_needs_an_order(rows: pd.DataFrame, table: Any, section: Any) -> None:
    with pytest.raises(ConfigurationError, match="'when' is categorical"):
        split_table(table(rows.assign(when=rows["when"].astype(str)), time="when"), section("time"), 1)
    with pytest.raises(DataError, match="lacks a value in 1 of them"):
        split_table(table(rows.assign(when=rows["when"].where(rows.index != 3)), time="when"), section("time"), 1)
    with pytest.raises(DataError, match="has 2 distinct values"):
        split_table(table(rows.assign(when=rows.index % 2), time="when"), section("time"), 1)


def test_most_rows_in_one_moment_still_leave_a_moment_for_each_split(
    rows: pd.DataFrame, table: Any, section: Any
) -> None:
    frame = rows.assign(when=np.r_[0, 1, np.full(len(rows) - 2, 2)])
    assert split_table(table(frame, time="when"), section("time"), 1).rows == {"train": 1, "valid": 1, "test": 598}


def test_predefined_takes_what_the_column_says(rows: pd.DataFrame, table: Any, section: Any) -> None:
    fold = np.arange(len(rows)) % 5
    values = {"train": [0, 1, 2], "valid": ["3"], "test": [4]}
    chosen = section("predefined", column="fold", values=values)
    parts = split_table(table(rows.assign(fold=fold), ignore=["fold"]), chosen, 1)
    assert np.array_equal(parts.codes, np.maximum(fold - 2, 0))


def test_predefined_guesses_nothing(rows: pd.DataFrame, table: Any, section: Any) -> None:
    chosen = section("predefined", column="fold")
    strange = rows.assign(fold=["train", "valid", "test", "dev", None] * 120)
    with pytest.raises(DataError, match=r"holds 2 values that mean no split: 'dev', 'nan'"):
        split_table(table(strange, ignore=["fold"]), chosen, 1)
    with pytest.raises(ConfigurationError, match="'fold' is a feature, so a model would see it"):
        split_table(table(strange), chosen, 1)
    with pytest.raises(ConfigurationError, match="no column 'fold'"):
        split_table(table(rows), chosen, 1)


@pytest.mark.parametrize("number", [1, 2])
def test_one_row_or_two_are_refused(number: int, rows: pd.DataFrame, table: Any, section: Any) -> None:
    frame = rows.head(number).assign(y=np.arange(number) * 100.5)
    with pytest.raises(DataError, match=f"need 3 rows, and there are {number}"):
        split_table(table(frame, task="regression"), section("random"), 1)


@pytest.mark.parametrize("kind", ["random", "stratified"])
def test_three_rows_are_enough(kind: str, rows: pd.DataFrame, table: Any, section: Any) -> None:
    frame = rows.head(3).assign(y=[1.5, 2.5, 3.5])
    assert set(split_table(table(frame), section(kind), 1).rows.values()) == {1}


def test_nothing_but_copies_is_refused_with_a_way_out(rows: pd.DataFrame, table: Any, section: Any) -> None:
    frame = pd.concat([rows.iloc[[0, 1]].assign(y=["no", "yes"])] * 50, ignore_index=True)
    frame["key"] = frame.index
    with pytest.raises(DataError, match=r"are copies of 2, .* set split.duplicates: allow"):
        split_table(table(frame, id=["key"], ignore=["when"]), section("random"), 1)
    allowed = split_table(table(frame, id=["key"], ignore=["when"]), section("random", duplicates="allow"), 1)
    assert allowed.rows["train"] == 70


@pytest.mark.parametrize(("gap", "says"), [(np.nan, "lacks a value in 2 rows"), (np.inf, "is infinite in 2 rows")])
def test_a_target_with_gaps_is_refused(gap: float, says: str, rows: pd.DataFrame, table: Any, section: Any) -> None:
    frame = rows.assign(y=rows["size"].where(rows.index > 1, gap))
    with pytest.raises(DataError, match=f"column 'y': is the target and {says}"):
        split_table(table(frame), section("random"), 1)


def test_the_headline_says_what_was_inferred(rows: pd.DataFrame, table: Any, section: Any) -> None:
    parts = split_table(table(rows, id=["key"]), section("stratified"), 1)
    assert headline(parts) == (
        "split: target 'y' (multiclass: maybe, no, yes), 4 features (2 numeric, 1 datetime, 1 categorical); "
        "stratified: train 419, valid 91, test 90"
    )
    many = split_table(table(rows.assign(y=[str(i % 9) for i in rows.index])), section("random"), 1)
    assert "multiclass: 0, 1, 2, 3, 4, 5, … 9 in all" in headline(many)
    assert "(regression)" in headline(split_table(table(rows.assign(y=rows["size"])), section("random"), 1))


def test_the_report_says_what_the_contract_asks_for(rows: pd.DataFrame, table: Any, section: Any) -> None:
    report = split_table(table(rows, id=["key"]), section("stratified"), 1).to_dict()
    assert report["strategy"] == "stratified"
    assert report["rows"] == {"train": 419, "valid": 91, "test": 90}
    assert report["left_out"] == report["copies"] == 0
    assert list(report["classes"]["maybe"]) == ["train", "valid", "test"]
    other = split_table(table(rows, id=["key"]), section("stratified"), 2).to_dict()
    assert len(report["digest"]) == 64 and report["digest"] != other["digest"]
