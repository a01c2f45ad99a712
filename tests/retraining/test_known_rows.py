"""A test row counts as unseen only where that is proven, and a row counts as new only if it was not there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from goodfit.data import Column, Schema, Table
from goodfit.errors import DataError
from goodfit.retraining.contest import unseen_rows
from goodfit.retraining.known_rows import KnownRows

IDENTITY = ["x", "colour", "y"]


def table(rows: int, *, seed: int = 0, time: bool = False, group: bool = False) -> Table:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": random.normal(size=rows), "colour": random.choice(["red", "blue"], rows)})
    frame["y"] = random.choice(["no", "yes"], rows)
    frame["day"] = pd.date_range("2024-01-01", periods=rows, freq="h")
    frame["clan"] = np.arange(rows) // 10
    columns = (
        Column("x", "numeric", "feature"),
        Column("colour", "categorical", "feature"),
        Column("y", "categorical", "target"),
        Column("day", "datetime", "time" if time else "ignore"),
        Column("clan", "numeric", "group" if group else "ignore"),
    )
    return Table(frame, Schema(columns, "binary", ("no", "yes")))


def part(whole: Table, start: int, stop: int) -> Table:
    return Table(whole.frame.iloc[start:stop].reset_index(drop=True), whole.schema)


def known(whole: Table, trained: int, identity: list[str] = IDENTITY, *, by_time: bool = False) -> KnownRows:
    half = trained // 2
    seen = [whole.frame.iloc[:half], whole.frame.iloc[half:trained]]
    return KnownRows.of(whole, seen, identity, by_time=by_time)


def test_rows_that_were_trained_on_are_seen_wherever_they_lie_now() -> None:
    whole = table(100)
    shuffled = Table(whole.frame.sample(frac=1, random_state=1).reset_index(drop=True), whole.schema)
    unseen = known(whole, 70).unseen(shuffled, IDENTITY)
    later = shuffled.frame["day"] >= whole.frame["day"].iloc[70]
    assert (unseen.mask == later.to_numpy()).all()
    assert int(unseen.mask.sum()) == 30


def test_a_group_that_was_trained_on_is_seen_as_a_whole() -> None:
    whole = table(100, group=True)
    assert known(whole, 75).unseen(part(whole, 70, 100), IDENTITY).mask.tolist() == [False] * 10 + [True] * 20


def test_changed_columns_prove_nothing_except_by_time() -> None:
    whole = table(100)
    wider = [*IDENTITY, "clan"]
    found = known(whole, 70).unseen(part(whole, 70, 100), wider)
    assert not found.mask.any()
    assert "the columns that tell rows apart have changed (clan)" in found.proof
    timed = table(100, time=True)
    later = known(timed, 70, [*IDENTITY, "day"], by_time=True).unseen(part(timed, 60, 100), wider)
    assert later.mask.tolist() == [False] * 10 + [True] * 30
    assert later.proof == "by 'day', after 2024-01-03T21:00:00"


def test_times_with_a_zone_are_compared_by_the_moment() -> None:
    whole = table(100, time=True)
    frame = whole.frame.assign(day=whole.frame["day"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
    zoned = Table(frame, whole.schema)
    found = known(whole, 70, by_time=True).unseen(part(zoned, 60, 100), ["other"])
    assert int(found.mask.sum()) == 30


def test_new_rows_are_counted_with_their_copies() -> None:
    whole = table(50)
    again = pd.concat([whole.frame, whole.frame.iloc[:3], table(5, seed=9).frame], ignore_index=True)
    new = known(whole, 30).new(Table(again, whole.schema), IDENTITY)
    assert new.tolist() == [False] * 50 + [True] * 8
    assert not known(whole, 30).new(part(whole, 0, 20), IDENTITY).any()
    assert known(whole, 30).new(whole, ["x"]).all(), "other columns make other rows"


def test_what_is_kept_is_read_back_and_has_no_values_in_it(tmp_path: Path) -> None:
    whole = table(100, group=True, time=True)
    before = known(whole, 70, [*IDENTITY, "day"], by_time=True)
    before.write(tmp_path / "rows.parquet")
    after = KnownRows.read(tmp_path / "rows.parquet")
    for name in KnownRows.__dataclass_fields__:
        assert np.array_equal(getattr(before, name), getattr(after, name)), name
    assert b"red" not in (tmp_path / "rows.parquet").read_bytes()
    assert (tmp_path / "rows.parquet").stat().st_size < 100 * 40 + 4000


def test_too_few_unseen_rows_are_refused_with_the_count_and_the_way_out() -> None:
    whole = table(100)
    kept = known(whole, 70)
    test, proof = unseen_rows(part(whole, 60, 100), kept, IDENTITY, 30)
    assert len(test) == 30
    assert proof == "30 of 40 test rows are proven unseen by the champion, row by row"
    with pytest.raises(DataError, match="30 of 40 test rows.*and 31 are asked for.*hashed or time split"):
        unseen_rows(part(whole, 60, 100), kept, IDENTITY, 31)
