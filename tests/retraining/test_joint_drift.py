"""What no single column shows: a classifier tells new rows from known ones. How often it is right is counted."""

import numpy as np
import pandas as pd
import pytest

from goodfit.data import Column, Schema, Table
from goodfit.retraining.drift import JOINT, find_drift
from goodfit.retraining.drift_section import DriftSection
from goodfit.retraining.examining import apart_in
from goodfit.retraining.joint import FEWEST_ROWS, Apart, tell_apart
from goodfit.retraining.profile import profile_of

SECTION = DriftSection()


def draw(rows: int, seed: int, together: float = 0.8, columns: int = 3) -> pd.DataFrame:
    """Normal columns of which the first two are correlated, and a category that follows the third."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, columns))
    x[:, 1] = together * x[:, 0] + np.sqrt(1 - together**2) * x[:, 1]
    frame = pd.DataFrame(x, columns=[f"x{number}" for number in range(columns)])
    frame["colour"] = np.where(x[:, -1] + random.normal(size=rows) > 0, "red", "blue")
    frame.loc[random.random(rows) < 0.1, "x0"] = np.nan
    return frame


def kinds(columns: int = 3) -> dict[str, str]:
    return {f"x{number}": "numeric" for number in range(columns)} | {"colour": "levels"}


def asked(known: pd.DataFrame, new: pd.DataFrame, columns: int = 3, seed: int = 0) -> Apart:
    found = tell_apart(known, new, kinds(columns), seed)
    assert found is not None
    return found


def false_alarms(repeats: int, known: int, new: int, columns: int) -> float:
    """Return the share of repeats, without any drift, in which the p-value alone would raise an alarm at 5 %."""
    found = [
        asked(draw(known, 2 * s, columns=columns), draw(new, 2 * s + 1, columns=columns), columns, s).chance < 0.05
        for s in range(repeats)
    ]
    assert len(found) == repeats
    return float(np.mean(found))


def test_relations_that_no_column_shows_are_found() -> None:
    known, new = draw(3000, 1), draw(1500, 2, together=-0.8)
    table = Table(
        known,
        Schema(
            (
                *(Column(f"x{n}", "numeric", "feature") for n in range(3)),
                Column("colour", "categorical", "target"),
            ),
            "binary",
            ("blue", "red"),
        ),
    )
    drift = find_drift(profile_of(table), new, None, SECTION, asked(known, new))
    assert drift.drifted == (JOINT,), "no column alone has moved"
    assert drift.joint is not None and drift.joint.area > 0.8
    assert drift.to_dict()["joint"]["drifted"] is True
    same = find_drift(profile_of(table), draw(1500, 3), None, SECTION, asked(known, draw(1500, 3)))
    assert same.drifted == ()
    off = find_drift(profile_of(table), new, None, DriftSection(joint=None), asked(known, new))
    assert off.drifted == () and off.joint is None


def test_the_shift_of_one_number_is_left_to_its_column() -> None:
    new = draw(1500, 5)
    new["x1"] = np.exp(new["x1"]) + 100
    assert asked(draw(3000, 4), new).area < 0.53


def test_a_category_that_means_something_else_is_found() -> None:
    new = draw(1500, 5)
    new["colour"] = new["colour"].map({"red": "blue", "blue": "red"})
    found = asked(draw(3000, 4), new)
    assert found.area > 0.65 and found.chance < 1e-6


def test_equal_rows_are_equal_answers_and_few_are_none() -> None:
    assert asked(draw(400, 1), draw(400, 2)) == asked(draw(400, 1), draw(400, 2))
    assert tell_apart(draw(400, 1), draw(FEWEST_ROWS - 1, 2), kinds(), 0) is None
    assert tell_apart(draw(400, 1), draw(400, 2), {}, 0) is None


def test_columns_of_gaps_constants_and_many_levels_are_taken() -> None:
    frame = draw(600, 1)
    frame["x0"], frame["x1"] = np.nan, 1.0
    frame["colour"] = [f"level {number}" for number in range(600)]
    assert 0.3 < asked(frame.iloc[::2], frame.iloc[1::2]).area < 0.7
    frame["x2"], frame["colour"] = np.nan, None
    frame["x1"] = np.nan
    assert asked(frame.iloc[::2], frame.iloc[1::2]) == Apart(0.5, 1.0, 600)


def test_rows_of_one_kind_are_rarely_told_apart() -> None:
    assert false_alarms(24, 400, 200, 3) <= 3 / 24, "a short version of the next"


def test_rows_of_one_group_are_no_evidence_twice() -> None:
    """Each customer has a row for each month, and likes a colour: new customers are no other kind of customers."""
    random = np.random.default_rng(0)
    likes = random.normal(size=(800, 3)).repeat(20, axis=0)
    frame = pd.DataFrame(likes, columns=["x0", "x1", "x2"]).assign(customer=np.arange(800).repeat(20), y="a")
    columns = [Column(name, "numeric", "feature") for name in ("x0", "x1", "x2")]
    schema = Schema((*columns, Column("customer", "numeric", "group"), Column("y", "categorical", "target")), "binary")
    table, is_new = Table(frame, schema), np.arange(len(frame)) >= 10_000
    found = apart_in(table, is_new, ["x0", "x1", "x2"], profile_of(table), 0)
    assert found is not None and found.rows == 800 and found.chance > 0.01
    alone = Table(frame, Schema((*columns, Column("y", "categorical", "target")), "binary"))
    fooled = apart_in(alone, is_new, ["x0", "x1", "x2"], profile_of(alone), 0)
    assert fooled is not None and fooled.chance < 1e-6, "as independent rows they would look like drift"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("known", "new"), [(5000, 200), (1000, 1000)])
def test_false_alarms_are_at_most_five_per_cent_of_many_resamples(known: int, new: int) -> None:
    assert false_alarms(300, known, new, 10) <= 0.05 + 1.645 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_correlation_that_is_gone_is_found_in_at_least_ninety_five_per_cent() -> None:
    found = [asked(draw(5000, s, 0.6, 20), draw(5000, s + 100, 0.0, 20), 20, s) for s in range(60)]
    right = [f.area >= SECTION.joint and f.chance < SECTION.significance / 41 for f in found]  # type: ignore[operator]
    assert len(right) == 60 and np.mean(right) >= 0.95
