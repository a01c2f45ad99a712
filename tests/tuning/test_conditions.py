"""Conditions in a space: what is wrong with them is found before the first trial."""

from typing import Any

import pytest

from goodfit.errors import ConfigurationError
from goodfit.training import FitSections
from goodfit.tuning import TuneSection, resolve_space

TREE: dict[str, Any] = {"seed": 1, "model": {"kind": "mlp"}, "training": {"optimizer": {"kind": "sgd"}}}
LAYERS = {"low": 1, "high": 3}


def resolved(space: dict[str, Any], tree: dict[str, Any] = TREE) -> Any:
    section = TuneSection.model_validate({"trials": 3, "space": space})
    return resolve_space(section, tree, FitSections)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            {"model.width": {"low": 8, "high": 64, "when": {"model.layer": 2}}, "model.layers": LAYERS},
            "Did you mean 'model.layers'",
        ),
        ({"model.width": {"low": 8, "high": 64, "when": {"model.width": 8}}}, "cannot depend on itself"),
        ({"model.width": {"low": 8, "high": 64, "when": {"model.layers": 9}}, "model.layers": LAYERS}, "is never true"),
        (
            {
                "model.width": {"low": 8, "high": 64, "when": {"model.layers": 2}},
                "model.layers": LAYERS | {"when": {"model.width": 8}},
            },
            "in a circle",
        ),
        (
            {
                "model.kind": {"choices": ["mlp", "linear"]},
                "model.layers": LAYERS | {"when": {"model.kind": "mlp"}},
                "model.width": {"low": 8, "high": 64, "when": {"model.kind": "linear", "model.layers": 2}},
            },
            "model.width.when: is never true: what it depends on has conditions that this one excludes",
        ),
    ],
)
def test_a_condition_that_cannot_work_is_refused(space: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match="params.yaml: tune.space.model") as caught:
        resolved(space)
    assert message in str(caught.value)


@pytest.mark.parametrize("wanted", [[], [[1]], {"a": 1}])
def test_a_condition_lists_plain_values(wanted: Any) -> None:
    with pytest.raises(ValueError, match="when model.layers"):
        TuneSection.model_validate({"space": {"model.width": {"low": 1, "high": 2, "when": {"model.layers": wanted}}}})


def test_an_option_of_one_kind_can_be_searched_under_the_condition_of_that_kind() -> None:
    """Without the condition the other kind does not know it, which is refused."""
    kinds = {"choices": ["mlp", "linear"]}
    width: dict[str, Any] = {"low": 8, "high": 64}
    with pytest.raises(ConfigurationError, match="with model.kind linear"):
        resolved({"model.kind": kinds, "model.width": width})
    space = resolved({"model.kind": kinds, "model.width": width | {"when": {"model.kind": "mlp"}}})
    assert [axis.path for axis in space.ordered] == ["model.kind", "model.width"]
    assert next(axis for axis in space.axes if axis.path == "model.width").whole
    assert space.inside({"model.kind": "linear", "model.width": 8}) == {"model.kind": "linear"}
    assert space.inside({"model.kind": "mlp", "model.width": 8}) == {"model.kind": "mlp", "model.width": 8}
    assert space.inside({"model.kind": "mlp", "model.width": 4}) is None
