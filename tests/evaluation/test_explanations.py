"""Explanations: they add up, find what matters, and follow a row with the batch's own bits."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from goodfit.bundle import Bundle, Ensemble, assembled
from goodfit.data import Column, Schema, Table
from goodfit.errors import ConfigurationError
from goodfit.evaluation.bootstrap import Resampling
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.explaining import (
    Attributor,
    blocks_of,
    explain_row,
    partial_dependence,
    permutation_importance,
)
from goodfit.evaluation.explaining.blocks import grouped
from goodfit.evaluation.inspections import Subject
from goodfit.evaluation.inspections.explanations import Explanations
from goodfit.models import MODELS, NoBlocks
from goodfit.preprocessing import Arrays, PreprocessingSection, fit_preprocessor
from goodfit.regularizers import RegularizationSection
from goodfit.tasks import task_named

CLASSES = {"binary": ("No", "Yes"), "multiclass": ("ant", "bee", "cat"), "regression": ()}
TASKS = tuple(CLASSES)


def table_of(task: str, rows: int = 400, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows)})
    frame.loc[::7, "b"] = np.nan
    frame["few"] = rng.choice(["red", "green"], rows)
    frame["many"] = rng.choice([f"l{i}" for i in range(14)], rows)
    frame["flag"] = rng.random(rows) < 0.5
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, rows), unit="D")
    signal = 3 * frame["a"] + (frame["few"] == "red")
    if task == "regression":
        frame["y"] = 100 + 20 * signal
    else:
        cuts = np.quantile(signal, [0.5]) if task == "binary" else np.quantile(signal, [0.33, 0.66])
        frame["y"] = np.array(CLASSES[task], dtype=object)[np.searchsorted(cuts, signal)]
    kinds = {
        "a": "numeric",
        "b": "numeric",
        "few": "categorical",
        "many": "categorical",
        "flag": "boolean",
        "day": "datetime",
    }
    columns = [Column(name, kind, "feature") for name, kind in kinds.items()]  # type: ignore[arg-type]
    columns.append(Column("y", "numeric" if task == "regression" else "categorical", "target"))
    return Table(frame, Schema(tuple(columns), task, CLASSES[task]))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bundles() -> Callable[[str], Bundle]:
    made: dict[str, Bundle] = {}

    def make(task: str) -> Bundle:
        if task not in made:
            made[task] = trained(task)
        return made[task]

    return make


def trained(task: str) -> Bundle:
    """Return a small network after some steps on the made-up rows."""
    table = table_of(task)
    preprocessor = fit_preprocessor(table, PreprocessingSection())
    options = MODELS["mlp"].options(layers=2, width=32, activation="relu")
    outputs = len(table.schema.classes) if task == "multiclass" else 1
    torch.manual_seed(1)
    model = assembled(options, NoBlocks(), preprocessor, outputs)
    arrays = preprocessor.transform(table.frame)
    target = torch.from_numpy(preprocessor.encode_target(table.frame))
    loss, optimizer = task_named(task), torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        logits = model(torch.from_numpy(arrays.numeric), torch.from_numpy(arrays.categorical))
        loss.row_losses(logits, target).mean().backward()
        optimizer.step()
    model.eval()
    return Bundle(table.schema, preprocessor, options, RegularizationSection(), model, temperature=1.5)


@pytest.mark.parametrize("task", TASKS)
def test_contributions_add_up_to_the_difference_of_the_scores(bundles: Callable[[str], Bundle], task: str) -> None:
    bundle, frame = bundles(task), table_of(task, 50, seed=3).frame
    for row in range(0, 50, 7):
        found = explain_row(bundle, frame, row, table_of(task).frame)
        total = sum(step.contribution for step in found.steps)
        scale = max(1.0, abs(found.score - found.average))
        assert found.average + total == pytest.approx(found.score, abs=2e-2 * scale)
        assert found.error == pytest.approx(found.average + total - found.score, abs=1e-6 * scale)


@pytest.mark.parametrize("task", TASKS)
def test_the_score_is_the_one_of_the_prediction(bundles: Callable[[str], Bundle], task: str) -> None:
    bundle, frame = bundles(task), table_of(task, 50, seed=3).frame
    found = explain_row(bundle, frame, 4, table_of(task).frame)
    said = list(found.prediction.values())
    if task == "regression":
        assert found.score == pytest.approx(said[0], rel=1e-5)
    else:
        chosen = said[1] if task == "binary" else max(said)
        assert found.score == pytest.approx(np.log(chosen / (1 - chosen)), rel=1e-3)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("rows", [60, 9000])
def test_a_row_has_the_bits_of_its_batch(bundles: Callable[[str], Bundle], task: str, rows: int) -> None:
    bundle, frame = bundles(task), table_of(task, rows, seed=4).frame
    said = bundle.predict(frame)
    arrays = bundle.preprocessor.transform(frame)
    for row in (0, 7, rows - 1):
        found = explain_row(bundle, frame, row, table_of(task).frame)
        assert np.array(list(found.prediction.values())).tobytes() == np.atleast_1d(said[row]).tobytes()
        prepared = {name: value for step in found.steps for name, value in step.prepared.items()}
        for place, name in enumerate(bundle.preprocessor.numeric_names):
            assert prepared[name] == float(arrays.numeric[row, place])
        for place, name in enumerate(bundle.preprocessor.categorical_names):
            assert prepared[f"{name}.code"] == arrays.categorical[row, place]


def test_each_treatment_is_told(bundles: Callable[[str], Bundle]) -> None:
    frame = table_of("binary", 8).frame
    frame.loc[0, ["few", "many"]] = ["violet", None]
    frame.loc[0, "a"] = np.nan
    told = {
        step.column: step.treatment for step in explain_row(bundles("binary"), frame, 0, table_of("binary").frame).steps
    }
    assert told["few"] == "unknown level: not seen in training"
    assert told["many"] == "missing: a level of its own"
    assert told["a"].startswith("missing: filled with the training median")
    assert told["flag"] == "true as 1, false as -1"
    assert told["day"] == "parts of the time"
    assert "median" in told["b"]


def test_a_linear_model_is_explained_exactly(bundles: Callable[[str], Bundle]) -> None:
    """For a linear score the contribution of a column is weight times distance from the mean."""
    bundle = bundles("regression")
    options = MODELS["linear"].options()
    torch.manual_seed(0)
    model = assembled(options, NoBlocks(), bundle.preprocessor, 1)
    torch.nn.init.normal_(model.head.weight)  # type: ignore[union-attr,arg-type]
    linear = Bundle(bundle.schema, bundle.preprocessor, options, RegularizationSection(), model)
    arrays = bundle.preprocessor.transform(table_of("regression").frame)
    found = Attributor(linear, arrays).attribute(Arrays(arrays.numeric[[5]], arrays.categorical[[5]]))
    place = bundle.preprocessor.numeric_names.index("a")
    weight = float(model.head.weight[0, place].detach())  # type: ignore[union-attr,index]
    unit = float(
        bundle.preprocessor.decode_target(np.array([1.0]))[0] - bundle.preprocessor.decode_target(np.array([0.0]))[0]
    )
    moved = float(arrays.numeric[5, place] - arrays.numeric[:, place].mean())
    assert found.contributions["a"] == pytest.approx(unit * weight * moved, rel=1e-4)
    assert found.steps == 64


@pytest.mark.parametrize(
    ("networks", "way_out"), [(0, "Read the permutation"), (2, r"Train one network \(train.ensemble: 1")]
)
def test_what_has_not_one_encoding_is_refused_with_a_way_out(
    bundles: Callable[[str], Bundle], networks: int, way_out: str
) -> None:
    bundle = bundles("binary")
    model = (
        Ensemble([copy.deepcopy(bundle.model) for _ in range(networks)], task_named("binary"))
        if networks
        else torch.nn.Linear(2, 1)
    )
    several = replace(bundle, model=model)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=rf"it has {networks} .*\. {way_out}"):
        Attributor(several, bundle.preprocessor.transform(table_of("binary").frame))


@pytest.mark.parametrize(
    ("task", "metric"), [("binary", "roc_auc"), ("multiclass", "accuracy"), ("regression", "rmse")]
)
def test_importance_finds_the_columns_that_made_the_target(
    bundles: Callable[[str], Bundle], task: str, metric: str
) -> None:
    bundle, table = bundles(task), table_of(task, 500, seed=9)
    arrays = bundle.preprocessor.transform(table.frame)
    target = (
        table.frame["y"].to_numpy(float) if task == "regression" else bundle.preprocessor.encode_target(table.frame)
    )
    before = arrays.numeric.copy()
    blocks = list(blocks_of(bundle.preprocessor).values())
    found = permutation_importance(bundle, arrays, target, blocks, metric, Resampling(500, 200, 0.95, (1, 2)), 5)
    assert found[0].name == "a"
    assert found[0].low > 0
    assert all(one.low <= one.loss <= one.high for one in found[:1])
    assert np.array_equal(arrays.numeric, before)
    again = permutation_importance(bundle, arrays, target, blocks, metric, Resampling(500, 200, 0.95, (1, 2)), 5)
    assert found == again


def test_a_column_the_model_ignores_costs_nothing(bundles: Callable[[str], Bundle]) -> None:
    bundle, table = bundles("regression"), table_of("regression", 300, seed=9)
    place = bundle.preprocessor.numeric_names.index("a")
    first = next(m for m in bundle.model.modules() if isinstance(m, torch.nn.Linear))
    kept = first.weight[:, place].clone()
    arrays = bundle.preprocessor.transform(table.frame)
    try:
        with torch.no_grad():
            first.weight[:, place] = 0
        blocks = [blocks_of(bundle.preprocessor)["a"]]
        (found,) = permutation_importance(
            bundle, arrays, table.frame["y"].to_numpy(), blocks, "rmse", Resampling(300, 100, 0.95, 1), 3
        )
    finally:
        with torch.no_grad():
            first.weight[:, place] = kept
    assert (found.loss, found.low, found.high) == (0, 0, 0)


def test_columns_can_be_shuffled_together(bundles: Callable[[str], Bundle]) -> None:
    blocks = grouped(blocks_of(bundles("binary").preprocessor), {"both": ["a", "few"]})
    assert [block.name for block in blocks].count("both") == 1
    (both,) = [block for block in blocks if block.name == "both"]
    assert len(both.numeric) >= 1
    assert len(both.categorical) == 1


def test_partial_dependence_rises_with_what_raises_the_target(bundles: Callable[[str], Bundle]) -> None:
    bundle, frame = bundles("regression"), table_of("regression", 300, seed=5).frame
    arrays = bundle.preprocessor.transform(frame)
    blocks = blocks_of(bundle.preprocessor)
    curve = partial_dependence(bundle, frame, arrays, blocks["a"])
    assert curve.ordered
    assert np.corrcoef(np.array(curve.values, dtype=float), curve.means[:, 0])[0, 1] > 0.95
    changed = frame.assign(a=curve.values[3])
    assert curve.means[3, 0] == pytest.approx(bundle.predict(changed).mean(), rel=1e-5)
    levels = partial_dependence(bundle, frame, arrays, blocks["many"])
    assert not levels.ordered
    assert len(levels.values) == 12


@pytest.mark.parametrize("task", TASKS)
def test_the_inspection_says_the_same_twice(bundles: Callable[[str], Bundle], task: str) -> None:
    bundle, table = bundles(task), table_of(task, 300, seed=9)
    target: Any = (
        table.frame["y"].to_numpy(float) if task == "regression" else bundle.preprocessor.encode_target(table.frame)
    )
    splits = ("train", "valid", "test")
    said = bundle.predict(table.frame)
    subject = Subject(
        bundle, table.schema, table.schema.task, 3, dict.fromkeys(splits, table), dict.fromkeys(splits, target),
        dict.fromkeys(splits, said), dict.fromkeys(splits, None), "rmse" if task == "regression" else "log_loss",
        BootstrapSection(),
    )  # fmt: skip
    first, second = Explanations(rows=100).inspect(subject), Explanations(rows=100).inspect(subject)
    assert first is not None and second is not None
    assert first.figures == second.figures
    assert first.charts == second.charts
    pd.testing.assert_frame_equal(first.tables["importance"], second.tables["importance"])
    assert "a most" in first.summary or "a, " in first.summary


def test_groups_of_unknown_columns_are_faults() -> None:
    faults = Explanations(together={"x": ["a", "nope"], "y": ["a"]}).faults(table_of("binary").schema)
    assert [fault.value for fault in faults] == ["nope", "a"]
