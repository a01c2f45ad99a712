"""The past lived through again: what moves asks for retraining, what stands still does not; nothing is peeked at."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.backtesting import Lived, advise, live_through, periods_of
from goodfit.backtesting import history as history_module
from goodfit.backtesting.picture import page
from goodfit.backtesting.watching import Watcher, rules_of
from goodfit.cli.main import app
from goodfit.data import SchemaSection, Table, infer_schema
from goodfit.errors import ConfigurationError, DataError
from goodfit.params import check
from goodfit.retraining.params import RetrainParams
from goodfit.retraining.policies import Situation
from goodfit.training import FitSections

NAN = float("nan")
SETTINGS = {
    "seed": 1,
    "model": {"kind": "linear"},
    "regularization": {},
    "training": {"epochs": 15, "batch_size": 128, "optimizer": {"kind": "adamw", "lr": 0.05}},
}
SECTION = SchemaSection(target="y", time="day", task="regression")


def table(turns: float, days: int = 60, rows: int = 40) -> Table:
    """Rows by day; over the whole past, the effect of x moves from 1 to 1 - turns."""
    random = np.random.default_rng(0)
    day = np.repeat(np.arange(days), rows)
    x = random.normal(size=len(day))
    y = x * (1 - turns * day / days) + random.normal(size=len(day), scale=0.3)
    frame = pd.DataFrame({"day": pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D"), "x": x, "y": y})
    frame = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    return Table(frame, infer_schema(frame, SECTION))


def settings() -> FitSections:
    return check(SETTINGS, FitSections, "params.yaml")


def test_a_world_that_moves_asks_for_retraining_and_one_that_stands_still_does_not() -> None:
    moving = advise(live_through(table(2.0), settings(), "rmse", 6, 2), 0.02)
    still = advise(live_through(table(0.0), settings(), "rmse", 6, 2), 0.02)
    assert moving.recommended == 1 and still.recommended is None
    assert all(a < b for a, b in zip(moving.staleness, moving.staleness[1:], strict=False)), "older is worse"
    assert moving.staleness[0] == 0.0 and max(map(abs, still.staleness)) < 0.05
    assert moving.pairs == (4, 3, 2, 1)
    assert [policy.every for policy in moving.policies] == [1, 2, 3, None]


def test_no_model_sees_the_periods_that_it_is_scored_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[pd.Timestamp, pd.Timestamp]] = []

    class Caught(Exception):
        pass

    def trained(whole: Table, past: Any, sections: Any) -> Any:
        times = whole.frame["day"]
        rest = np.setdiff1d(np.arange(len(times)), past)
        seen.append((times.iloc[past].max(), times.iloc[rest].min()))
        assert (np.diff(times.iloc[past].to_numpy().astype(np.int64)) >= 0).all(), "valid rows are the latest"
        return None

    monkeypatch.setattr(history_module, "_trained", trained)
    monkeypatch.setattr(history_module, "_score", lambda *_: 1.0)
    live_through(table(0.0), settings(), "rmse", 6, 2)
    assert len(seen) == 4 and all(last < first for last, first in seen)


def lived(maximize: bool = True) -> Lived:
    scores = np.array([[NAN] * 4, [NAN, 0.9, 0.8, 0.5], [NAN, NAN, 0.9, 0.89], [NAN, NAN, NAN, 0.9]])
    return Lived(
        "roc_auc", maximize, ("a", "b", "c", "<d>"), (10, 10, 10, 20), 1, scores, np.array([0.0, 1.0, 2.0, 4.0])
    )


def test_policies_are_replayed_exactly() -> None:
    advice = advise(lived(), 0.03)
    every, two, never = advice.policies
    assert (every.every, two.every, never.every) == (1, 2, None)
    assert (every.scores, two.scores, never.scores) == ((0.9, 0.9, 0.9), (0.9, 0.8, 0.9), (0.9, 0.8, 0.5))
    assert two.quality == pytest.approx((0.9 + 0.8 + 2 * 0.9) / 4) and two.loss == pytest.approx(0.025)
    assert (every.retrains, two.retrains, never.retrains) == (2, 1, 0)
    assert (every.seconds, two.seconds, never.seconds) == (7.0, 5.0, 1.0)
    assert advice.staleness == pytest.approx((0.0, (0.1 + 0.01) / 2, 0.4))
    assert advice.recommended == 2 and advise(lived(), 0.0).recommended == 1
    assert advise(lived(), 1.0).recommended is None
    assert "train every 2 periods" in advice.sentence


def test_where_less_is_better_the_signs_turn() -> None:
    assert advise(lived(maximize=False), 0.0).recommended is None
    assert advise(lived(maximize=False), 0.0).staleness[2] == pytest.approx(-0.4)


def test_periods_without_a_score_are_left_out() -> None:
    gaps = lived()
    gaps.scores[:, 2] = NAN
    advice = advise(gaps, 0.03)
    assert advice.policies[0].scores == (0.9, None, 0.9) and advice.pairs == (2, 1, 1)
    json.dumps(advice.to_dict(), allow_nan=False)
    gaps.scores[:] = NAN
    with pytest.raises(DataError, match="defined in no period"):
        advise(gaps, 0.03)


def test_the_page_runs_nothing_and_escapes() -> None:
    text = page(advise(lived(), 0.03), "<script>alert(1)</script>")
    assert "<script" not in text and "default-src 'none'" in text
    assert text.count("<tr") == 4 and "class=chosen" in text and "<polyline" in text


def test_periods_are_equally_long() -> None:
    found = periods_of(table(0.0), 6)
    assert np.bincount(found).tolist() == [400] * 6


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda f: f.drop(columns="day"), ConfigurationError, "schema.time"),
        (lambda f: f.assign(day=f["day"].where(f.index > 3)), DataError, "without a time"),
        (lambda f: f.assign(day=f["day"].iloc[0]), DataError, "one moment only"),
        (lambda f: f.tail(50).assign(day=np.arange(50)), DataError, "too few to train on"),
    ],
)
def test_what_cannot_be_replayed_is_refused(change: Any, error: type[Exception], said: str) -> None:
    frame = change(table(0.0).frame)
    section = SECTION if "day" in frame else SchemaSection(target="y", task="regression")
    with pytest.raises(error, match=said):
        live_through(Table(frame, infer_schema(frame, section)), settings(), "rmse", 6, 2)


def test_the_command_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tree = "seed: 1\nsource: {kind: csv, path: input/a.csv}\nschema: {target: y}\nsplit: {kind: random}\n"
    (tmp_path / "params.yaml").write_text(tree + "tracking: {experiment: a, model_name: a}\n")
    with pytest.raises(ConfigurationError, match=r"data/raw\.parquet: is not there.*make repro"):
        app(["backtest"], standalone_mode=False)


def retrain_params(**retrain: Any) -> RetrainParams:
    schema = {"target": "y", "time": "day", "task": "regression"}
    tree = {
        "seed": 1,
        "source": {"kind": "csv", "path": "input/x.csv"},
        "schema": schema,
        "split": {"kind": "time"},
        "evaluate": {"metrics": ["rmse"], "bootstrap": {"resamples": 100}},
        "retrain": retrain,
        "tracking": {"experiment": "x", "model_name": "x"},
    }
    return check(tree, RetrainParams, "params.yaml")


def replayed(turns: float, **retrain: Any) -> dict[str, Any]:
    whole, params = table(turns), retrain_params(**retrain)
    watch = Watcher(whole, periods_of(whole, 6), params, "rmse")
    found = live_through(whole, settings(), "rmse", 6, 2, watch=watch)
    assert sorted(found.situations) == [(made, later) for made in range(2, 6) for later in range(made + 1, 6)]
    advice = advise(found, 0.02, rules_of(params))
    json.dumps(advice.to_dict(), allow_nan=False)
    assert "by drift" in page(advice, "x")
    return {policy.rule: policy for policy in advice.rules}


def test_policies_that_look_at_what_comes_in_are_replayed() -> None:
    moving, still = replayed(2.0), replayed(0.0)
    assert set(moving) == set(still) == {"by always", "by drift", "by quality"}
    assert still["by drift"].retrains == still["by quality"].retrains == 0
    assert still["by always"].retrains == moving["by always"].retrains == 3
    assert moving["by quality"].retrains >= 2 and moving["by drift"].retrains >= 2, "y follows x in another way"
    assert moving["by quality"].loss < 0.1


def test_the_cooldown_and_the_age_count_in_the_time_of_the_data() -> None:
    old = replayed(0.0, policy={"kind": "age", "days": 15})
    assert old["by age"].trained == (2, 4), "a period has ten days"
    cool = replayed(0.0, policy={"kind": "always"}, cooldown_hours=24 * 15)
    assert cool["by always"].trained == (2, 4)


def test_a_rule_is_asked_of_the_model_that_it_has_trained_itself() -> None:
    there = lived()
    told = {(1, 2): 1, (1, 3): 2, (2, 3): 3}
    situations = {key: Situation(0.0, True, number, 0.0) for key, number in told.items()}
    asked: list[int] = []

    def rule(situation: Situation) -> bool:
        asked.append(situation.new_rows)
        return situation.new_rows == 1

    (found,) = advise(dataclasses.replace(there, situations=situations), 0.03, {"by mine": rule}).rules
    assert asked == [1, 3] and found.trained == (1, 2)
    assert found.scores == (0.9, 0.9, 0.89) and found.words == "by mine"
