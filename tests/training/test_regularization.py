"""What every regularizer keeps to in a training: no trace at zero strength, an effect above, and finite numbers."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from goodfit.regularizers import REGULARIZERS
from goodfit.training import Recipe, TrainingData, fit

Made = Callable[..., tuple[Recipe, TrainingData]]
LATER = {"early_stopping"}
"""What acts on no step, and so leaves the first epochs as they are."""


def curve(make: Made, settings: dict[str, Any], target: str = "churn") -> list[dict[str, float]]:
    recipe, data = make(target, rows=200, regularization=settings, training={"epochs": 3})
    return [dict(epoch.metrics) for epoch in fit(recipe, data, seed=1, state=None, progress=False).epochs]


def finite(rows: list[dict[str, float]]) -> bool:
    return all(math.isfinite(value) for row in rows for value in row.values())


@pytest.mark.parametrize("kind", REGULARIZERS)
def test_zero_strength_is_absence_to_the_last_bit(make: Made, kind: str, regularizer_settings: Any) -> None:
    assert curve(make, {}) == curve(make, regularizer_settings.off(kind))


@pytest.mark.parametrize("kind", REGULARIZERS)
def test_a_set_strength_changes_the_curve_and_keeps_it_finite(make: Made, kind: str, regularizer_settings: Any) -> None:
    present = regularizer_settings.on(kind)
    without = {name: options for name, options in present.items() if name != kind}
    tasks = {"binary": "churn", "multiclass": "level", "regression": "price"}
    for task in REGULARIZERS[kind].facts["tasks"]:
        curves = curve(make, present, tasks[task]), curve(make, without, tasks[task])
        assert finite(curves[0])
        assert (curves[0] == curves[1]) is (kind in LATER), task
    assert task


def test_everything_together_stays_finite(make: Made, regularizer_settings: Any) -> None:
    every = regularizer_settings.together()
    assert len(every) > 1
    for settings in every:
        assert finite(curve(make, settings))
