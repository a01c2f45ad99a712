"""An alarm needs a change that is large and no accident; how often it is right is counted, not assumed."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from goodfit.data import Column, Schema, Table
from goodfit.retraining.distances import chance, corrected, pooled, population_stability
from goodfit.retraining.drift import alarms, find_drift
from goodfit.retraining.drift_section import DriftSection
from goodfit.retraining.profile import PREDICTION, Profile, answers_of, profile_of

SECTION = DriftSection()
COLUMNS, BINS, ROWS = 50, 10, 5000


def shifted_shares(target: float) -> np.ndarray:
    """Return shares of ten bins, of a normal variable that has moved as far as the index says."""
    edges = stats.norm.ppf(np.arange(1, BINS) / BINS)
    even = np.full(BINS, 1 / BINS)

    def shares(move: float) -> np.ndarray:
        return np.diff(np.concatenate([[0.0], stats.norm.cdf(edges - move), [1.0]]))

    low, high = 0.0, 2.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        moved = shares(middle)
        index = float(((moved - even) * np.log(moved / even)).sum())
        low, high = (middle, high) if index < target else (low, middle)
    return shares(low)


def alarm_rate(reference: np.ndarray, new: np.ndarray) -> float:
    """Return the share of the resamples [r, columns, bins] in which any column drifts."""
    p = corrected(chance(reference, new))
    return float(alarms(population_stability(reference, new), p, SECTION.stability, SECTION).any(axis=1).mean())


@pytest.mark.parametrize("rows", [150, 500, ROWS])
def test_at_most_five_per_cent_false_alarms_in_a_thousand_resamples_of_fifty_columns(rows: int) -> None:
    random = np.random.default_rng(1)
    even = np.full(BINS, 1 / BINS)
    reference, new = (random.multinomial(n, even, (1000, COLUMNS)) for n in (ROWS, rows))
    assert alarm_rate(reference, new) <= 0.05


def test_the_alarm_alone_by_effect_or_by_significance_would_be_wrong_too_often() -> None:
    random = np.random.default_rng(2)
    even = np.full(BINS, 1 / BINS)
    reference, few = (random.multinomial(n, even, (1000, COLUMNS)) for n in (ROWS, 150))
    by_effect = (population_stability(reference, few) >= SECTION.stability).any(axis=1).mean()
    assert by_effect > 0.5, "small samples look moved"
    uncorrected = (chance(reference, few) < SECTION.significance).any(axis=1).mean()
    assert uncorrected > 0.2, "fifty questions need a correction"


def test_a_stability_index_of_a_fifth_is_found_in_at_least_ninety_five_per_cent() -> None:
    random = np.random.default_rng(3)
    even, moved = np.full(BINS, 1 / BINS), shifted_shares(0.2)
    reference = random.multinomial(ROWS, even, (1000, COLUMNS))
    new = random.multinomial(ROWS, even, (1000, COLUMNS))
    new[:, 0] = random.multinomial(ROWS, moved, 1000)
    p = corrected(chance(reference, new))
    found = alarms(population_stability(reference, new), p, SECTION.stability, SECTION)
    assert found[:, 0].mean() >= 0.95
    assert found[:, 1:].any(axis=1).mean() <= 0.05


def test_chi_square_is_scipys() -> None:
    table = np.array([[12, 30, 5, 0], [20, 22, 9, 4]])
    assert chance(table[0], table[1]) == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert chance([3, 0], [5, 0]) == 1.0
    assert chance([3, 1], [0, 0]) == 1.0


def test_holm_is_statsmodels_by_hand() -> None:
    assert corrected([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert corrected([0.9, 0.8]).tolist() == pytest.approx([1.0, 1.0])


def test_rare_levels_are_put_together() -> None:
    a, b = pooled(np.array([100.0, 1, 1, 1]), np.array([100.0, 2, 0, 1]))
    assert (a.tolist(), b.tolist()) == ([100, 3], [100, 3])


def draw(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": random.normal(size=rows), "few": random.integers(0, 4, rows)})
    frame["colour"] = random.choice(["red", "green", "blue"], rows)
    frame["paid"] = np.where(random.random(rows) < 0.1, np.nan, random.exponential(size=rows))
    frame["flag"] = random.random(rows) < 0.3
    frame["day"] = pd.Timestamp("2024-01-01")
    frame["y"] = random.choice(["no", "yes"], rows)
    return frame


def schema() -> Schema:
    kinds = {"x": "numeric", "few": "numeric", "colour": "categorical", "paid": "numeric", "flag": "boolean"}
    columns = [Column(name, kind, "feature") for name, kind in kinds.items()]  # type: ignore[arg-type]
    return Schema(
        (*columns, Column("day", "datetime", "feature"), Column("y", "categorical", "target")), "binary", ("no", "yes")
    )


def profile() -> Profile:
    frame = draw(2000, 1)
    answers = answers_of(np.stack([1 - frame["x"].rank(pct=True), frame["x"].rank(pct=True)], axis=1))
    return Profile.from_dict(profile_of(Table(frame, schema()), answers).to_dict())


def found(frame: pd.DataFrame, answers: np.ndarray | None = None) -> tuple[str, ...]:
    said = None if answers is None else answers_of(answers)
    return find_drift(profile(), frame.drop(columns="day", errors="ignore"), said, SECTION).drifted


def test_rows_of_the_same_kind_do_not_drift() -> None:
    random = np.random.default_rng(5).random(1500)
    assert found(draw(1500, 2), np.stack([1 - random, random], axis=1)) == ()


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("x", lambda frame: frame["x"] + 0.7),
        ("few", lambda frame: frame["few"].clip(upper=2)),
        ("colour", lambda frame: frame["colour"].replace("red", "violet")),
        ("paid", lambda frame: frame["paid"].mask(np.arange(len(frame)) % 3 == 0)),
        ("flag", lambda frame: ~frame["flag"]),
        ("y", lambda frame: "yes"),
    ],
)
def test_a_change_of_one_column_is_found_there_and_only_there(column: str, change: object) -> None:
    frame = draw(1500, 3)
    frame[column] = change(frame)  # type: ignore[operator]
    assert found(frame) == (column,)


def test_a_change_of_what_the_champion_says_is_found() -> None:
    assert found(draw(1500, 4), np.tile([0.1, 0.9], (1500, 1))) == (PREDICTION,)


def test_too_few_rows_are_not_tested_and_say_so() -> None:
    drift = find_drift(profile(), draw(99, 4), None, SECTION)
    assert drift.columns == ()
    assert drift.notes == ("99 new rows are too few to tell: 100 are needed",)


def test_columns_that_come_and_go_and_change_their_type_are_named() -> None:
    frame = draw(500, 4).drop(columns=["colour", "day"]).assign(x="text", extra=1.0)
    drift = find_drift(profile(), frame, None, SECTION)
    told = "\n".join(drift.notes)
    assert "'colour' is not there any more" in told
    assert "'extra' is new" in told
    assert "column 'x': holds a str where a number is expected" in told
    assert "the champion cannot answer" in told
