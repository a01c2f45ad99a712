"""Every path of a space exists, and every value it can propose passes the option's own validation."""

from typing import Annotated, Any, Self

import pytest
from pydantic import Field, model_validator

from goodfit.errors import ConfigurationError
from goodfit.params import check, overlay
from goodfit.registry import Registry, Section
from goodfit.tuning import Space, TuneSection, check_space, resolve_space

NETS: Registry[Any] = Registry("net")
STEPPERS: Registry[Any] = Registry("stepper")


@NETS.register("mlp")
class Mlp:
    def __init__(
        self, *, width: Annotated[int, Field(ge=1, le=512)] = 64, rate: Annotated[float, Field(gt=0)] = 1.0
    ) -> None: ...


@NETS.register("deep")
class Deep:
    def __init__(self, *, width: Annotated[int, Field(ge=8)] = 64, depth: int = 3) -> None: ...


@NETS.register("linear")
class Linear:
    def __init__(self) -> None: ...


@STEPPERS.register("adam")
class Adam:
    def __init__(self, *, lr: Annotated[float, Field(gt=0)] = 1e-3) -> None: ...


@STEPPERS.register("sgd")
class Sgd:
    def __init__(self, *, lr: Annotated[float, Field(gt=0)] = 1e-2, momentum: float = 0.0) -> None: ...


class Training(Section):
    epochs: Annotated[int, Field(ge=1)] = 3
    optimizer: STEPPERS.section() = Field(default_factory=lambda: STEPPERS["adam"].options())  # type: ignore[valid-type]
    sizes: list[int] = Field(default_factory=lambda: [1, 2])
    patience: int | None = None


class Dropout(Section):
    p: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Regularization(Section):
    dropout: Dropout = Dropout()
    on: bool = False


class Params(Section):
    seed: int = 1
    model: NETS.section()  # type: ignore[valid-type]
    regularization: Regularization = Regularization()
    training: Training = Training()


TREE: dict[str, Any] = {
    "seed": 1,
    "model": {"kind": "mlp"},
    "training": {"optimizer": {"kind": "adam"}},
    "evaluate": {"not": "read by this stage"},
}


def section(**space: Any) -> TuneSection:
    return TuneSection.model_validate({"trials": 1, "space": space})


def faults(space: dict[str, Any], tree: dict[str, Any] = TREE) -> list[str]:
    return [str(fault) for fault in check_space(section(**space), tree, Params)]


def resolved(space: dict[str, Any], tree: dict[str, Any] = TREE) -> Space:
    return resolve_space(section(**space), tree, Params)


GOOD: dict[str, Any] = {
    "training.optimizer.lr": {"low": 1e-4, "high": 1, "log": True},
    "model.width": {"low": 4, "high": 256, "log": True},
    "regularization.dropout.p": {"low": 0, "high": 0.5},
    "regularization.on": {"choices": [True, False]},
    "training.patience": {"choices": [None, 3]},
}


def test_a_good_space_is_sorted_and_knows_whole_numbers() -> None:
    assert faults(GOOD) == []
    space = resolved(GOOD)
    assert space.paths == sorted(GOOD)
    assert [axis.path for axis in space.axes if axis.whole] == ["model.width"]


def test_an_end_that_cannot_move_is_known() -> None:
    """A dropout of 0 is no reason to widen the range below 0."""
    axes = {axis.path: axis for axis in resolved(GOOD).axes}
    assert (axes["regularization.dropout.p"].below, axes["regularization.dropout.p"].above) == (False, True)
    assert axes["model.width"].below
    assert not next(iter(resolved({"model.width": {"low": 1, "high": 512}}).axes)).above


@pytest.mark.parametrize(
    ("path", "dimension", "message"),
    [
        (
            "model.wdith",
            {"low": 1, "high": 2},
            "tune.space.model.wdith: there is no such option. Did you mean 'model.width'?",
        ),
        (
            "model.depth",
            {"low": 1, "high": 2},
            "no such option. Did you mean 'model.width'? Known: model.kind, model.rate, model.width.",
        ),
        ("model.width.low", {"low": 1, "high": 2}, "there is no such option"),
        ("model", {"choices": ["mlp"]}, "is a section, not an option"),
        ("training.optimizer", {"choices": ["adam"]}, "is a section, not an option"),
        ("regularization.dropuot.p", {"low": 0, "high": 0.5}, "Did you mean 'regularization.dropout.p'?"),
        ("seed", {"low": 0, "high": 9}, "only options below model, regularization and training"),
        ("split.train", {"low": 0.1, "high": 0.9}, "only options below model, regularization and training"),
        ("", {"low": 0, "high": 9}, "only options below"),
        ("model.", {"low": 0, "high": 9}, "there is no such option"),
        ("model.width", {"low": 0, "high": 256}, "tune.space.model.width.low: is refused: model.width: "),
        ("model.width", {"low": 1, "high": 513}, "tune.space.model.width.high: is refused: model.width: "),
        (
            "model.width",
            {"low": 1.0, "high": 8},
            "tune.space.model.width.low: is refused: model.width: needs a whole number",
        ),
        ("model.width", {"low": 1, "high": 8, "step": 0.5}, "step: the option takes whole numbers only"),
        ("model.rate", {"low": 0, "high": 8}, "tune.space.model.rate.low"),
        ("regularization.dropout.p", {"low": 0.0, "high": 1.0}, "should be less than 1 (it is 1.0)"),
        ("training.epochs", {"choices": [3, 0]}, "tune.space.training.epochs.choices.1: is refused"),
        (
            "regularization.on",
            {"choices": [True, "yes"]},
            "choices.1: is refused: regularization.on: needs true or false",
        ),
        ("training.sizes", {"choices": [3]}, "choices.0: is refused"),
        ("model.kind", {"choices": ["mlp", "mpl"]}, "choices.1: is refused: model.kind: unknown kind (it is 'mpl')"),
        ("model.kind", {"choices": [1]}, "choices.0: is refused"),
        ("model.kind", {"low": 0, "high": 1}, "model.kind.low: is refused"),
    ],
)
def test_a_wrong_path_or_value_is_refused_with_its_place(path: str, dimension: Any, message: str) -> None:
    found = faults({path: dimension})
    assert found
    assert message in found[0]
    assert found[0].startswith(f"params.yaml: tune.space.{path}")
    with pytest.raises(ConfigurationError):
        resolved({path: dimension})


def test_every_fault_is_listed_at_once() -> None:
    space = {"model.wdith": {"low": 1, "high": 2}, "model.width": {"low": 0, "high": 600}, "seed": {"choices": [1]}}
    assert len(faults(space)) == 4


def test_kinds_may_be_searched_with_what_they_share() -> None:
    space = {
        "model.kind": {"choices": ["mlp", "deep"]},
        "model.width": {"low": 8, "high": 256},
        "training.optimizer.kind": {"choices": ["adam", "sgd"]},
        "training.optimizer.lr": {"low": 1e-4, "high": 0.1},
    }
    assert faults(space) == []
    assert [axis.whole for axis in resolved(space).axes] == [False, True, False, False]


def test_an_option_that_a_searched_kind_lacks_is_refused() -> None:
    found = faults({"model.kind": {"choices": ["mlp", "linear"]}, "model.width": {"low": 1, "high": 2}})
    assert found == [
        "params.yaml: tune.space.model.width: there is no such option with model.kind linear."
        " Search only kinds that know it, or search it in another run."
    ]


def test_a_value_that_one_searched_kind_refuses_is_refused() -> None:
    found = faults({"model.kind": {"choices": ["mlp", "deep"]}, "model.width": {"low": 4, "high": 256}})
    assert len(found) == 1
    assert "model.width.low: is refused with model.kind deep" in found[0]


def test_a_kind_that_does_not_know_what_params_yaml_writes_is_refused() -> None:
    """Overlaying `kind` alone leaves the width of the other kind behind: every such trial would fail."""
    tree = {**TREE, "model": {"kind": "mlp", "width": 32}}
    space = {"model.kind": {"choices": ["mlp", "linear"]}, "training.optimizer.kind": {"choices": ["adam", "sgd"]}}
    found = faults(space, tree)
    assert len(found) == 1
    assert "tune.space.model.kind.choices.1: is refused: model.width: unknown option" in found[0]
    with pytest.raises(ConfigurationError):
        check(overlay({"model": tree["model"]}, {"model.kind": "linear"}), Params, "params.yaml")


def test_kinds_that_exclude_each_other_are_refused() -> None:
    class Picky(Params):
        @model_validator(mode="after")
        def _no_deep_sgd(self) -> Self:
            if self.model.kind == "deep" and self.training.optimizer.kind == "sgd":
                raise ValueError("deep does not go with sgd")
            return self

    space = {"model.kind": {"choices": ["mlp", "deep"]}, "training.optimizer.kind": {"choices": ["adam", "sgd"]}}
    found = [str(fault) for fault in check_space(section(**space), TREE, Picky)]
    assert len(found) == 1
    assert found[0].startswith("params.yaml: tune.space.model.kind: is refused with model.kind deep")
    assert "deep does not go with sgd" in found[0]


def test_an_option_of_a_section_that_only_defaults_write_cannot_be_set_alone() -> None:
    tree = {"model": {"kind": "mlp"}}
    found = faults({"training.optimizer.lr": {"low": 1e-4, "high": 1}}, tree)
    assert len(found) == 1
    assert "cannot be set alone: training.optimizer.kind: is missing. Write its section" in found[0]


def test_params_that_are_wrong_without_a_search_are_reported_as_such() -> None:
    assert "is not valid without the search: model.kind" in faults(GOOD, {"model": {"kind": "nothing"}})[0]


def test_no_space_has_no_faults() -> None:
    assert check_space(TuneSection(), TREE, Params) == []
    assert resolve_space(TuneSection(), TREE, Params) == Space()
