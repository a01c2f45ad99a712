"""Explanations: they add up, find what matters, and follow a row with the batch's own bits."""

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
from goodfit.evaluation.explaining.gradients import TOLERANCE
from goodfit.evaluation.inspections import Subject
from goodfit.evaluation.inspections.cost import Cost
from goodfit.evaluation.inspections.explanations import Explanations
from goodfit.models import MODELS, NoBlocks
from goodfit.models.numeric_embeddings import NUMERIC_EMBEDDINGS
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
def bundles() -> Callable[..., Bundle]:
    made: dict[tuple[str, str], Bundle] = {}

    def make(task: str, kind: str = "none") -> Bundle:
        if (task, kind) not in made:
            made[task, kind] = together(task) if kind == "together" else trained(task, kind)
        return made[task, kind]

    return make


def together(task: str) -> Bundle:
    """Return three votes of two networks that read numbers in different ways."""
    bundle, other = trained(task), trained(task, "piecewise_linear", seed=2)
    return replace(bundle, model=Ensemble([bundle.model, other.model], task_named(task), votes=[2, 1]))


def trained(task: str, embeddings: str = "none", seed: int = 1) -> Bundle:
    """Return a small network after some steps on the made-up rows."""
    table = table_of(task)
    preprocessor = fit_preprocessor(table, PreprocessingSection())
    options = MODELS["mlp"].options(layers=2, width=32, activation="relu", numeric_embeddings={"kind": embeddings})
    outputs = len(table.schema.classes) if task == "multiclass" else 1
    torch.manual_seed(seed)
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


def subject_of(bundle: Bundle) -> Subject:
    task = bundle.task
    table = table_of(task, 300, seed=9)
    target: Any = (
        table.frame["y"].to_numpy(float) if task == "regression" else bundle.preprocessor.encode_target(table.frame)
    )
    splits = ("train", "valid", "test")
    said = bundle.predict(table.frame)
    return Subject(
        bundle, table.schema, table.schema.task, 3, dict.fromkeys(splits, table), dict.fromkeys(splits, target),
        dict.fromkeys(splits, said), dict.fromkeys(splits, None), "rmse" if task == "regression" else "log_loss",
        BootstrapSection(),
    )  # fmt: skip


KINDS = (*sorted(NUMERIC_EMBEDDINGS), "together")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", TASKS)
def test_contributions_add_up_to_the_difference_of_the_scores(
    bundles: Callable[..., Bundle], task: str, kind: str
) -> None:
    bundle, frame = bundles(task, kind), table_of(task, 50, seed=3).frame
    one, none = bundle.preprocessor.decode_target(np.array([1.0, 0.0])) if task == "regression" else (1.0, 0.0)
    for row in range(0, 50, 7):
        found = explain_row(bundle, frame, row, table_of(task).frame)
        total = sum(step.contribution for step in found.steps)
        scale = max(float(one - none), abs(found.score - found.average))
        assert found.average + total == pytest.approx(found.score, abs=1.1 * TOLERANCE * scale)
        assert found.error == pytest.approx(found.average + total - found.score, abs=1e-6 * scale)


@pytest.mark.parametrize("kind", KINDS)
def test_a_contribution_belongs_to_the_column_that_was_changed(bundles: Callable[..., Bundle], kind: str) -> None:
    """Where a row is as the average in all but one column, that column alone moves the score."""
    bundle = bundles("binary", kind)
    arrays = bundle.preprocessor.transform(table_of("binary").frame)
    background = Arrays(arrays.numeric[[0]], arrays.categorical[[0]])
    attributor, blocks = Attributor(bundle, background), blocks_of(bundle.preprocessor)
    other = int(np.flatnonzero((arrays.categorical != arrays.categorical[0]).all(axis=1))[0])
    assert len(blocks) == 6
    for name, block in blocks.items():
        changed = Arrays(background.numeric.copy(), background.categorical.copy())
        block.put(changed, arrays, other)
        found = attributor.attribute(changed)
        assert {column for column, value in found.contributions.items() if value} <= {name}
        moved = found.score - found.average
        assert found.contributions[name] == pytest.approx(moved, abs=2e-3 * max(1.0, abs(moved)))


@pytest.mark.parametrize("kind", ["none", "together"])
@pytest.mark.parametrize("task", TASKS)
def test_the_score_is_the_one_of_the_prediction(bundles: Callable[..., Bundle], task: str, kind: str) -> None:
    bundle, frame = bundles(task, kind), table_of(task, 50, seed=3).frame
    found = explain_row(bundle, frame, 4, table_of(task).frame)
    said = list(found.prediction.values())
    if task == "regression":
        assert found.score == pytest.approx(said[0], rel=1e-5)
    else:
        chosen = said[1] if task == "binary" else max(said)
        assert found.score == pytest.approx(np.log(chosen / (1 - chosen)), rel=1e-3)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("rows", [60, 9000])
def test_a_row_has_the_bits_of_its_batch(bundles: Callable[..., Bundle], task: str, rows: int) -> None:
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


def test_each_treatment_is_told(bundles: Callable[..., Bundle]) -> None:
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


def test_a_linear_model_is_explained_exactly(bundles: Callable[..., Bundle]) -> None:
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


def test_what_has_no_encoding_is_refused_with_a_way_out(bundles: Callable[..., Bundle]) -> None:
    bundle = replace(bundles("binary"), model=torch.nn.Linear(2, 1))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"it has no .*\. Read the permutation importance instead"):
        Attributor(bundle, bundle.preprocessor.transform(table_of("binary").frame))


@pytest.mark.parametrize("kind", KINDS)
def test_the_cost_of_columns_is_all_of_the_parameters_before_the_second_layer(
    bundles: Callable[..., Bundle], kind: str
) -> None:
    bundle = bundles("regression", kind)
    found = Cost(seconds=0).inspect(subject_of(bundle))
    assert found is not None
    named = dict(bundle.model.named_parameters())
    first = [value for name, value in named.items() if "encoding" in name or (value.ndim == 2 and len(value) == 32)]
    hidden = [value for value in first if value.shape == (32, 32)]
    assert len(hidden) == (2 if kind == "together" else 1)
    counted = sum(value.numel() for value in first) - sum(value.numel() for value in hidden)
    assert found.tables["columns"]["parameters"].sum() == counted


@pytest.mark.parametrize(
    ("task", "metric"), [("binary", "roc_auc"), ("multiclass", "accuracy"), ("regression", "rmse")]
)
def test_importance_finds_the_columns_that_made_the_target(
    bundles: Callable[..., Bundle], task: str, metric: str
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


def test_a_column_the_model_ignores_costs_nothing(bundles: Callable[..., Bundle]) -> None:
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


def test_columns_can_be_shuffled_together(bundles: Callable[..., Bundle]) -> None:
    blocks = grouped(blocks_of(bundles("binary").preprocessor), {"both": ["a", "few"]})
    assert [block.name for block in blocks].count("both") == 1
    (both,) = [block for block in blocks if block.name == "both"]
    assert len(both.numeric) >= 1
    assert len(both.categorical) == 1


def test_partial_dependence_rises_with_what_raises_the_target(bundles: Callable[..., Bundle]) -> None:
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
def test_the_inspection_says_the_same_twice(bundles: Callable[..., Bundle], task: str) -> None:
    subject = subject_of(bundles(task))
    first, second = Explanations(rows=100).inspect(subject), Explanations(rows=100).inspect(subject)
    assert first is not None and second is not None
    assert first.figures == second.figures
    assert first.charts == second.charts
    pd.testing.assert_frame_equal(first.tables["importance"], second.tables["importance"])
    assert "a most" in first.summary or "a, " in first.summary


def test_groups_of_unknown_columns_are_faults() -> None:
    faults = Explanations(together={"x": ["a", "nope"], "y": ["a"]}).faults(table_of("binary").schema)
    assert [fault.value for fault in faults] == ["nope", "a"]
