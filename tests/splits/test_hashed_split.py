"""A row never moves: under insertion, deletion, reordering, another order of columns, or a dtype that gives way."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from goodfit.errors import ConfigurationError, DataError
from goodfit.splits import split_table
from goodfit.splits.hashing import hash_rows, hash_values


def places(parts: Any) -> pd.Series:
    return pd.Series(parts.codes, index=parts.table.frame["key"].to_numpy())


def by_row_index(frame: pd.DataFrame) -> pd.Series:
    """The split of a well-known template: a deterministic hash, with the row's number among what is hashed."""
    hashes = pd.util.hash_pandas_object(frame[["key"]], index=True).to_numpy()
    shares = hash_values(pd.Series(hashes)).astype(float) / 2.0**64
    return pd.Series(np.digitize(shares, [0.7, 0.85]), index=frame["key"].to_numpy())


CHANGES = {
    "inserted": lambda f: pd.concat([f.iloc[:1].assign(key=-1, size=9.5), f], ignore_index=True),
    "deleted": lambda f: f.drop(index=range(0, len(f), 7)).reset_index(drop=True),
    "reordered": lambda f: f.sample(frac=1, random_state=1).reset_index(drop=True),
    "columns reordered": lambda f: f[f.columns[::-1]],
}


@pytest.mark.parametrize("keys", [["key"], ["key", "who"], []], ids=["one key", "two keys", "content"])
@pytest.mark.parametrize("change", CHANGES)
def test_no_row_moves(change: str, keys: list[str], rows: pd.DataFrame, table: Any, section: Any) -> None:
    chosen = section("hashed", keys=keys)
    before = places(split_table(table(rows, id=["key"]), chosen, 1))
    after = places(split_table(table(CHANGES[change](rows), id=["key"]), chosen, 1))
    shared = before.index.intersection(after.index)
    assert len(shared) > 500
    assert before[shared].equals(after[shared])


@pytest.mark.parametrize("change", ["inserted", "deleted", "reordered"])
def test_a_hash_that_includes_the_row_number_moves_them(change: str, rows: pd.DataFrame) -> None:
    before, after = by_row_index(rows), by_row_index(CHANGES[change](rows))
    shared = before.index.intersection(after.index)
    assert (before[shared] != after[shared]).mean() > 0.3


@settings(max_examples=25, deadline=None, database=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b", "ü", None])), min_size=2, max_size=40),
    st.randoms(use_true_random=False),
)
def test_hashes_follow_their_rows(values: list[tuple[int, str | None]], random: Any) -> None:
    frame = pd.DataFrame(values, columns=["n", "t"]).astype({"t": "str"})
    hashes = hash_rows(frame, ["n", "t"], 3)
    order = random.sample(range(len(frame)), len(frame))
    assert np.array_equal(hash_rows(frame.iloc[order], ["t", "n"], 3), hashes[order])
    assert pd.Series(hashes).nunique() == frame.drop_duplicates().shape[0]


def test_the_numbers_themselves_stay_what_they_are() -> None:
    """Whoever changes these moves the rows of every hashed split in the world."""
    frame = pd.DataFrame({"n": [1, -2], "t": ["a", "ü"], "f": [0.5, np.nan]})
    assert hash_rows(frame, ["n", "t", "f"], 42).tolist() == [13977051796702585108, 6990096598768909601]


SAME = {
    "a first gap in whole numbers": (pd.Series([1, 2, 300]), pd.Series([1, 2, 300, None]).astype("Int64")),
    "whole numbers as floats": (pd.Series([1, 2, -300]), pd.Series([1.0, 2.0, -300.0, 0.5])),
    "narrow and wide integers": (pd.Series([1, 2], dtype="int8"), pd.Series([1, 2], dtype="int64")),
    "unsigned": (pd.Series([1, 2], dtype="uint64"), pd.Series([1, 2], dtype="int64")),
    "minus zero": (pd.Series([0.0]), pd.Series([-0.0])),
    "a first gap in truth values": (pd.Series([True, False]), pd.Series([True, False, None], dtype="boolean")),
    "text and categories": (pd.Series(["a", "b"]), pd.Series(["a", "b", "c"], dtype="category")),
    "text and objects": (pd.Series(["a", "b"]), pd.Series(["a", "b", None], dtype=object)),
    "microseconds and nanoseconds": (
        pd.Series(pd.to_datetime(["1969-12-31 23:59:59.5", "2024-02-29 00:00:00.0"])).astype("M8[us]"),
        pd.Series(pd.to_datetime(["1969-12-31 23:59:59.5", "2024-02-29 00:00:00.0", None])).astype("M8[ns]"),
    ),
    "zones": (
        pd.Series(pd.to_datetime(["2024-01-01"])).dt.tz_localize("UTC"),
        pd.Series(pd.to_datetime(["2024-01-01 01:00"])).dt.tz_localize("Europe/Berlin"),
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_a_value_hashes_alike_in_another_dtype(case: str) -> None:
    first, second = SAME[case]
    assert np.array_equal(hash_values(first), hash_values(second)[: len(first)])


def test_text_that_repeats_hashes_as_text_that_does_not() -> None:
    repeated = pd.Series(["a", "b", None] * 1000)
    assert np.array_equal(hash_values(repeated)[:3], hash_values(pd.Series(["a", "b", None])))


def test_missing_is_no_value_of_the_column() -> None:
    assert len(set(hash_values(pd.Series([0.0, np.nan, 1.0])).tolist())) == 3
    assert len(set(hash_values(pd.Series(["", None, "nan"])).tolist())) == 3


def test_columns_do_not_stand_in_for_each_other() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [2, 1]})
    hashes = hash_rows(frame, ["a", "b"])
    assert hashes[0] != hashes[1]


def test_copies_under_different_keys_are_left_to_the_leak_check(rows: pd.DataFrame, table: Any, section: Any) -> None:
    twins = pd.concat([rows, rows.assign(key=rows["key"] + 5000)], ignore_index=True)
    by_key = split_table(table(twins, id=["key"]), section("hashed", keys=["key"]), 1)
    by_content = split_table(table(twins, id=["key"]), section("hashed"), 1)
    assert (by_key.codes[:600] != by_key.codes[600:]).any()
    assert np.array_equal(by_content.codes[:600], by_content.codes[600:])


def test_a_key_must_be_a_column_and_not_the_target(rows: pd.DataFrame, table: Any, section: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"no column 'kye'.*Did you mean 'key'") as caught:
        split_table(table(rows), section("hashed", keys=["kye", "y"]), 1)
    assert len(caught.value.faults) == 2


def test_a_table_too_small_for_its_shares_is_refused(rows: pd.DataFrame, table: Any, section: Any) -> None:
    with pytest.raises(DataError, match="leave none for"):
        split_table(table(rows.head(4)), section("hashed", train=0.998, valid=0.001, test=0.001), 1)
