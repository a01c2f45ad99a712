"""Slices: a planted one is found, what is not there is not flagged, figures equal those computed by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.data import Column, Schema
from goodfit.evaluation.bootstrap import Resampling
from goodfit.evaluation.slices import (
    coding,
    confirm,
    declared_slices,
    discovery,
    excess_losses,
    learn_coders,
    parity_tables,
    rates_of,
    row_losses,
    slice_figures,
)
from goodfit.evaluation.slices.discovery import Discovered, discover
from goodfit.metrics import METRICS

NUMBERS, LEVELS = [f"n{i}" for i in range(4)], [f"c{i}" for i in range(4)]
COLUMNS = [Column(name, "numeric", "feature") for name in NUMBERS]
COLUMNS += [Column(name, "categorical", "feature") for name in LEVELS]
TOP_TENTH = 1.2816


def drawn(rows: int, seed: int, task: str, *, planted: bool) -> tuple[pd.DataFrame, Any, Any, Any]:
    """Draw rows and what a model that knows them says; it is wrong in 10 % x 20 % of the rows if asked for."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: rng.normal(size=rows) for name in NUMBERS})
    for name in LEVELS:
        frame[name] = rng.choice(list("abcde"), rows)
    bad = ((frame["n2"] > TOP_TENTH) & (frame["c1"] == "b")).to_numpy() & planted
    signal = 1.5 * frame["n0"].to_numpy() + (frame["c0"] == "a").to_numpy()
    if task == "regression":
        return frame, signal + rng.normal(size=rows) * (1 + np.abs(signal)) + 8 * bad, signal, bad
    positive = 1 / (1 + np.exp(-signal))
    target = (rng.random(rows) < positive).astype(np.int64)
    target[bad] = positive[bad] < 0.5
    return frame, target, np.stack([1 - positive, positive], axis=1), bad


def found(rows: int, seed: int, task: str = "binary", **options: Any) -> tuple[list[Discovered], Any]:
    splits = {"valid": drawn(rows, 2 * seed, task, **options), "test": drawn(rows, 2 * seed + 1, task, **options)}
    schema = Schema(tuple(COLUMNS), task, () if task == "regression" else ("no", "yes"))  # type: ignore[arg-type]
    parts = [{split: values[i] for split, values in splits.items()} for i in range(3)]
    every = discover(  # type: ignore[misc]
        schema.task, schema, *parts, kinds=["failing"], bins=10, min_rows=10, count=5, seed=(seed, 1)
    )
    return every["failing"], splits["test"][3]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_planted_slice_is_found_first(task: str) -> None:
    for seed in range(5):
        parts, bad = found(1500, seed, task, planted=True)
        assert set(parts[0].found.columns) == {"n2", "c1"}
        assert parts[0].confirmed.p <= 0.01
        held = parts[0].masks["test"]
        assert (held & bad).sum() / (held | bad).sum() > 0.7
        assert all(part.confirmed.p > 0.01 for part in parts[1:]), "what lies beside it is not flagged for it"


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_nothing_is_flagged_where_nothing_is(task: str) -> None:
    flagged = [any(p.confirmed.p <= 0.01 for p in found(800, seed, task, planted=False)[0]) for seed in range(40)]
    assert sum(flagged) <= 2


def test_a_harder_slice_is_hard_and_not_failing() -> None:
    """A model that says 50 % where it cannot know more is not failing there."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"c0": rng.choice(["easy", "hard"], 6000, p=[0.8, 0.2]), "n0": rng.normal(size=6000)})
    positive = np.where(frame["c0"] == "hard", 0.5, np.where(frame["n0"] > 0, 0.97, 0.03))
    target, said = (rng.random(6000) < positive).astype(np.int64), np.stack([1 - positive, positive], axis=1)
    schema = Schema((COLUMNS[4], COLUMNS[0]), "binary", ("no", "yes"))
    halves = {"valid": slice(0, 3000), "test": slice(3000, 6000)}
    parts = [{split: values[rows] for split, rows in halves.items()} for values in (frame, target, said)]
    options = {"bins": 5, "min_rows": 10, "count": 3, "seed": (1, 1)}
    every = discover("binary", schema, *parts, kinds=["hard", "failing"], **options)  # type: ignore[arg-type]
    hard, failing = every["hard"], every["failing"]
    assert hard[0].name == "c0 = hard"
    assert hard[0].confirmed.p <= 0.01
    assert all(part.confirmed.p > 0.01 for part in failing)


def test_more_rows_than_are_searched_are_sampled_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MAX_ROWS", 1200)
    one, _ = found(4000, 3, planted=True)
    same, bad = found(4000, 3, planted=True)
    assert [part.name for part in one] == [part.name for part in same]
    assert [part.confirmed for part in one] == [part.confirmed for part in same]
    assert set(one[0].found.columns) == {"n2", "c1"}
    assert len(one[0].mask) == len(bad) == 4000, "all rows are judged"


def test_a_slice_of_one_split_alone_is_found_and_not_flagged() -> None:
    """The test rows fail in it, the valid rows do not: searched among the test rows, it is asked of the valid rows."""
    valid, test = drawn(900, 9, "regression", planted=False), drawn(900, 8, "regression", planted=True)
    schema = Schema(tuple(COLUMNS), "regression", ())
    parts = [dict(zip(("valid", "test"), pair, strict=True)) for pair in zip(valid[:3], test[:3], strict=True)]
    options: Any = {"kinds": ["failing"], "bins": 10, "min_rows": 10, "count": 5, "seed": (1, 1)}
    hidden = next(part for part in discover("regression", schema, *parts, **options)["failing"] if part.found.score > 6)
    assert set(hidden.found.columns) == {"n2", "c1"}
    assert hidden.asked == "valid"
    assert hidden.confirmed.p > 0.01, "the rows that did not choose it do not confirm it"
    swapped = [{"valid": values["test"], "test": values["test"]} for values in parts]
    first = discover("regression", schema, *swapped, **options)["failing"][0]  # type: ignore[arg-type]
    assert first.confirmed.p == discovery.SMALLEST_P


def test_no_slice_repeats_one_before_it() -> None:
    parts, _ = found(1500, 1, planted=True)
    assert {part.asked for part in parts} == {"valid", "test"}, "both ways are gone"
    for count, part in enumerate(parts):
        before = [np.logical_or.reduce([other.masks[split] for other in parts[:count]]) for split in part.masks]
        shared = [mask & rows for mask, rows in zip(part.masks.values(), before, strict=True) if count]
        assert sum(int(rows.sum()) for rows in shared) <= 0.5 * sum(int(mask.sum()) for mask in part.masks.values())
    assert [part.confirmed.p for part in parts] == sorted(part.confirmed.p for part in parts)


def test_rows_of_a_group_are_no_evidence_for_each_other() -> None:
    """Sixty rows that share one outcome are one observation; rows that stand alone are sixty."""
    rng = np.random.default_rng(1)
    losses, mask = rng.normal(size=1200), np.zeros(1200, dtype=bool)
    mask[:60] = True
    losses[mask] += 3
    excess = excess_losses(losses, "regression", None)
    alone = confirm([mask], excess, (1,))[0]
    together = confirm([mask], excess, (1,), np.arange(1200) // 60)[0]
    assert alone.p == 0.001
    assert together.p > 0.2


def test_losses_are_bounded_and_their_excess_has_no_mean_within_a_stratum() -> None:
    _, target, said, _ = drawn(500, 1, "binary", planted=False)
    losses = row_losses("binary", target, said)
    assert losses == pytest.approx(2 * np.square(said[:, 1] - target))
    excess = excess_losses(losses, "binary", said)
    rows = np.concatenate([block.ravel() for block in excess.strata])
    assert sorted(rows) == list(range(500))
    strata = [stratum for block in excess.strata for stratum in block]
    assert len(strata) > 15
    for stratum in strata:
        assert np.ptp(said[stratum, 1]) <= 0.05
        assert len(stratum) < 45
        assert excess.values[stratum] == pytest.approx(losses[stratum] - losses[stratum].mean())
        assert excess.variances[stratum] == pytest.approx(losses[stratum].var())


def test_codes_name_gaps_levels_and_bins_and_names_are_true() -> None:
    moments = pd.Series(pd.to_datetime(["2024-01-01", None, "2024-03-01", "2024-02-01"] * 10))
    frame = pd.DataFrame({"n": [1.0, np.nan, 3.0, np.inf] * 10, "b": [True, None, False, True] * 10, "t": moments})
    frame["l"] = ["x", None, "y", "z"] * 10
    kinds = {"n": "numeric", "b": "boolean", "t": "datetime", "l": "categorical"}
    columns = [Column(name, kind, "feature") for name, kind in kinds.items()]  # type: ignore[arg-type]
    texts = {coder.column.name: [text for text, _ in coder.atoms] for coder in learn_coders(frame, columns, 4)}
    assert texts["n"] == ["n is missing", "n = 1", "n = 3"]
    assert texts["b"] == ["b is missing", "b = False", "b = True"]
    assert texts["t"][0] == "t is missing"
    assert "t >= 2024-03-01T00:00:00" in texts["t"] or "t = 2024-03-01T00:00:00" in texts["t"]
    assert texts["l"] == ["l is missing", "l = x", "l = y", "l = z"]
    other = learn_coders(frame, columns, 4)[3].codes(pd.Series(["never seen", "x", None]))
    assert other.tolist() == [4, 1, 0]


def test_the_name_of_a_bin_is_what_it_holds() -> None:
    values = pd.Series(np.random.default_rng(2).normal(0, 1e-3, 3000))
    coder = coding.coder_of(values, COLUMNS[0], 10)
    codes = coder.codes(values)
    assert np.bincount(codes)[1:].min() > 250
    for text, holds in coder.atoms:
        kept = values[holds[codes]]
        if text.startswith("n0 >= "):
            assert (values >= float(text.removeprefix("n0 >= "))).sum() == len(kept)
        if text.startswith("n0 < "):
            assert (values < float(text.removeprefix("n0 < "))).sum() == len(kept)


def test_declared_slices_have_the_figures_of_their_rows() -> None:
    frame, target, said, _ = drawn(400, 1, "binary", planted=False)
    schema = Schema(tuple(COLUMNS), "binary", ("no", "yes"))
    parts = declared_slices(frame, schema, [["c0"], ["n0"], ["c0", "n0"]], {"n0": [0.0]}, 4, 30)
    assert {part.name for part in parts if part.declaration == "n0"} == {"n0 < 0", "n0 >= 0"}
    assert {part.declaration for part in parts} == {"c0", "n0", "c0 x n0"}
    assert all(part.mask.sum() >= 30 for part in parts)
    one = next(part for part in parts if part.name == "c0 = a and n0 >= 0")
    mask = ((frame["c0"] == "a") & (frame["n0"] >= 0)).to_numpy()
    assert np.array_equal(one.mask, mask)
    figures = slice_figures([mask], "log_loss", target, said, Resampling(400, 300, 0.95, 1))[0]
    inside, outside = (METRICS["log_loss"].cls().compute(target[part], said[part]) for part in (mask, ~mask))
    assert figures.rows == mask.sum()
    assert figures.value.value == pytest.approx(inside)
    assert figures.difference.value == pytest.approx(inside - outside)
    assert figures.value.low < inside < figures.value.high
    width = figures.value.high - figures.value.low
    losses = -np.log(said[mask, target[mask]])
    assert width == pytest.approx(2 * 1.96 * losses.std() / np.sqrt(mask.sum()), rel=0.2)


def test_a_slice_without_a_value_and_one_of_all_rows_are_no_failure() -> None:
    _, target, said, _ = drawn(200, 1, "binary", planted=False)
    masks = [target == 1, np.ones(200, dtype=bool), np.zeros(200, dtype=bool)]
    found = slice_figures(masks, "roc_auc", target, said, Resampling(200, 100, 0.95, 1))
    assert np.isnan(found[0].value.value)
    assert np.isnan(found[0].value.low)
    assert found[1].value.value > 0.5
    assert np.isnan(found[1].difference.value)
    assert found[2].rows == 0


def test_parity_is_that_of_the_confusion_tables() -> None:
    rng = np.random.default_rng(3)
    target, classes = rng.integers(0, 2, 1000), rng.integers(0, 2, 1000)
    group = rng.random(1000) < 0.3
    classes[group] &= rng.integers(0, 2, group.sum())
    rates = rates_of("binary", target, np.zeros((1000, 2)), classes)
    groups, between = parity_tables({"a": group, "b": ~group}, rates, Resampling(1000, 400, 0.95, 1))
    assert groups["selection_rate"].tolist() == pytest.approx([classes[group].mean(), classes[~group].mean()])
    assert groups["true_positive_rate"][0] == pytest.approx(classes[group & (target == 1)].mean())
    lines = {(line["rate"], line["compared"]): line for line in between.to_dict("records")}
    ratio = lines["selection_rate", "ratio"]
    assert ratio["value"] == pytest.approx(classes[group].mean() / classes[~group].mean())
    assert ratio["low"] < ratio["value"] < ratio["high"] < 0.8
    assert lines["selection_rate", "difference"]["low"] > 0
    assert (ratio["highest"], ratio["lowest"]) == ("b", "a")
