import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from goodfit.splits.allocation import allocate, cut
from goodfit.splits.units import joined, numbered, numbered_hashes

SHARES = (0.7, 0.15, 0.15)
QUICK = settings(max_examples=60, deadline=None, database=None)


@QUICK
@given(st.lists(st.integers(1, 9), min_size=3, max_size=80), st.integers(0, 99))
def test_each_cut_is_off_by_half_a_unit_at_most_or_fills_an_empty_split(sizes: list[int], seed: int) -> None:
    units = np.repeat(np.arange(len(sizes)), sizes)
    codes = allocate(units, SHARES, seed)
    rows = np.bincount(codes, minlength=3)
    assert rows.all()
    assert np.abs(np.cumsum(rows)[:2] - np.cumsum(SHARES)[:2] * len(units)).max() <= 1.5 * max(sizes)
    assert all(len(set(codes[units == unit])) == 1 for unit in range(len(sizes)))


@QUICK
@given(st.lists(st.integers(3, 40), min_size=1, max_size=12), st.integers(0, 99))
def test_each_stratum_of_three_units_reaches_every_split(counts: list[int], seed: int) -> None:
    strata = np.repeat(np.arange(len(counts)), counts)
    codes = allocate(np.arange(len(strata)), SHARES, seed, strata)
    for stratum, count in enumerate(counts):
        rows = np.bincount(codes[strata == stratum], minlength=3)
        assert rows.all()
        assert np.abs(rows - np.array(SHARES) * count).max() <= 2


def test_one_huge_unit_leaves_room_for_the_others() -> None:
    units = np.array([0] * 98 + [1, 2])
    for seed in range(6):
        assert np.bincount(allocate(units, SHARES, seed), minlength=3).all()


def test_no_units_are_no_trouble() -> None:
    assert len(cut(np.array([], dtype=np.int64), SHARES, np.array([0]))) == 0


@QUICK
@given(st.lists(st.integers(0, 12), min_size=1, max_size=60))
def test_hashes_are_numbered_as_factorize_does(values: list[int]) -> None:
    hashes = np.array(values, dtype=np.uint64)
    assert np.array_equal(numbered_hashes(hashes), pd.factorize(hashes)[0])


def test_a_missing_value_is_a_unit_by_itself() -> None:
    assert numbered(pd.Series(["a", None, "a", None])).tolist() == [0, 1, 0, 2]


@QUICK
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40))
def test_joined_units_tear_neither_kind(pairs: list[tuple[int, int]]) -> None:
    frame = pd.DataFrame(pairs, columns=["copy", "who"])
    units = joined(numbered(frame["copy"]), numbered(frame["who"]))
    for name in frame:
        assert frame.assign(unit=units).groupby(name)["unit"].nunique().max() == 1
    assert sorted(set(units)) == list(range(units.max() + 1))


def test_units_without_ties_stay_apart() -> None:
    assert joined(np.arange(4), np.array([0, 0, 1, 2])).tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("seed", range(3))
def test_the_seed_decides(seed: int) -> None:
    units = np.arange(50)
    assert np.array_equal(allocate(units, SHARES, seed), allocate(units, SHARES, seed))
    assert not np.array_equal(allocate(units, SHARES, seed), allocate(units, SHARES, seed + 1))
