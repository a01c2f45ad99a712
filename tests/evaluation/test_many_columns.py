"""Thousands of columns: those that matter get the closer look, the page says which did not, and it ends."""

import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from goodfit.bundle import Bundle, assembled
from goodfit.data import Column, Schema, Table
from goodfit.evaluation import EvaluateSection, evaluate
from goodfit.evaluation.explaining import blocks_of, reliance
from goodfit.evaluation.explaining.reliance import left_out, relied_on
from goodfit.evaluation.robustness import with_column
from goodfit.models import MODELS, NoBlocks
from goodfit.preprocessing import PreprocessingSection, fit_preprocessor
from goodfit.regularizers import RegularizationSection

NEEDED = ("x17", "c3")
"""The columns that the made-up network looks at."""


def tables(rows: int, columns: int) -> dict[str, Table]:
    """Return splits of four fifths numbers and one fifth text, two of which make the target."""
    rng, numbers = np.random.default_rng(0), columns * 4 // 5
    values: dict[str, Any] = {f"x{i}": rng.normal(size=rows) for i in range(numbers)}
    values |= {f"c{i}": rng.choice(list("abcd"), rows) for i in range(columns - numbers)}
    signal = 2 * values["x17"] + 2 * (values["c3"] == "a") + rng.normal(size=rows)
    values["y"] = np.where(signal > 0.5, "yes", "no")
    kinds = {name: "numeric" if name[0] == "x" else "categorical" for name in values}
    roles = {name: "target" if name == "y" else "feature" for name in values}
    schema = Schema(tuple(Column(n, kinds[n], roles[n]) for n in values), "binary", ("no", "yes"))  # type: ignore[arg-type]
    frame, ends = pd.DataFrame(values), (0, int(rows * 0.7), int(rows * 0.85), rows)
    parts = zip(("train", "valid", "test"), ends[:3], ends[1:], strict=True)
    return {name: Table(frame.iloc[a:b].reset_index(drop=True), schema) for name, a, b in parts}


def looking_at_two(train: Table) -> Bundle:
    """Return a linear model that knows which columns make the target."""
    preprocessor = fit_preprocessor(train, PreprocessingSection())
    options = MODELS["linear"].options()
    model = assembled(options, NoBlocks(), preprocessor, 1).eval()
    blocks = blocks_of(preprocessor)
    encoding = next(module for module in model.modules() if type(module).__name__ == "Encoding")
    layer = next(module for module in model.modules() if isinstance(module, torch.nn.Linear))
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, blocks["x17"].numeric[0]] = 2.0
        place = preprocessor.categorical_names.index("c3")
        start = encoding.numeric + sum(preprocessor.cardinalities[:place])  # type: ignore[operator]
        layer.weight[0, start : start + preprocessor.cardinalities[place]] = torch.arange(
            preprocessor.cardinalities[place], dtype=torch.float32
        )
    return Bundle(train.schema, preprocessor, options, RegularizationSection(), model)


@pytest.fixture(scope="module")
def wide() -> Iterator[tuple[Bundle, dict[str, Table]]]:
    made = tables(400, 60)
    yield looking_at_two(made["train"]), made


def test_gradients_point_to_the_columns_that_the_model_looks_at(wide: tuple[Bundle, dict[str, Table]]) -> None:
    bundle, made = wide
    arrays = bundle.preprocessor.transform(made["valid"].frame)
    assert set(relied_on(bundle, arrays, 2)) == set(NEEDED)
    assert relied_on(bundle, arrays, 60) == list(blocks_of(bundle.preprocessor))
    assert left_out(["a"] * 60, 60, "shuffled") == ""
    assert left_out(NEEDED, 60, "shuffled").startswith(" Only 2 of 60 columns were shuffled: ")


def test_few_columns_are_looked_at_and_the_page_says_so(
    wide: tuple[Bundle, dict[str, Table]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, made = wide
    monkeypatch.setattr(reliance, "MAX_CELLS", 0)
    monkeypatch.setattr(reliance, "FEWEST_COLUMNS", 3)
    section = EvaluateSection(slices={"enabled": False}, mistakes={"enabled": False}, cost={"enabled": False})
    found = evaluate(bundle, SimpleNamespace(**made), section, 0).inspected.findings
    assert len(found["explanations"].tables["importance"]) == 3
    assert set(found["robustness"].tables["columns"]["column"]) >= set(NEEDED)
    assert found["robustness"].tables["columns"]["column"].nunique() == 3
    assert "Only 3 of 60 columns were shuffled" in found["explanations"].summary
    assert "Only 3 of 60 columns were changed one by one" in found["robustness"].summary


def test_one_column_changed_is_the_row_changed(wide: tuple[Bundle, dict[str, Table]]) -> None:
    bundle, made = wide
    frame = made["test"].frame
    arrays, blocks = bundle.preprocessor.transform(frame), blocks_of(bundle.preprocessor)
    before = replace(arrays, numeric=arrays.numeric.copy(), categorical=arrays.categorical.copy())
    for name, values in (("x17", frame["x17"] * 2), ("c3", pd.Series([None] * len(frame), dtype=object))):
        changed = with_column(arrays, bundle.preprocessor, blocks[name], values)
        whole = bundle.preprocessor.transform(frame.assign(**{name: values}))
        assert np.array_equal(changed.numeric, whole.numeric)
        assert np.array_equal(changed.categorical, whole.categorical)
        assert not np.array_equal(bundle.answers(changed), bundle.answers(arrays))
    assert np.array_equal(arrays.numeric, before.numeric)
    assert np.array_equal(arrays.categorical, before.categorical)


@pytest.mark.slow
def test_ten_thousand_columns_take_two_minutes_of_processor_time() -> None:
    made = tables(2000, 10_000)
    bundle = looking_at_two(made["train"])
    start = time.process_time()
    found = evaluate(bundle, SimpleNamespace(**made), EvaluateSection(), 0)
    assert time.process_time() - start < 120
    assert not found.inspected.failures
    assert set(NEEDED) <= set(found.inspected.findings["explanations"].tables["importance"]["column"])
    assert "of 10,000 preprocessed columns" in found.notes["baselines.boosting"]
