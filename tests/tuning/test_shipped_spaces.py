"""The spaces that ship: every point of them can be trained on every task, and params.yaml changes them by lines."""

from typing import Any

import pytest

from goodfit.errors import ConfigurationError
from goodfit.models import MODELS
from goodfit.params import check, overlay
from goodfit.regularizers import applicability_faults
from goodfit.regularizers.regularization import active_in
from goodfit.tasks import TASKS
from goodfit.training import FitSections
from goodfit.tuning import SAMPLERS, SearchSections, Space, resolve_space, starts_of
from goodfit.tuning.shipped import names
from goodfit.tuning.starts import known_good

POINTS = 300
CASES = [(kind, space) for kind in MODELS for space in ("default", "cocktail")]
FITTING = [(kind, space) for kind, space in CASES if space == "default" or MODELS[kind].facts["hidden_layers"]]


def tree(kind: str, space: Any, **sections: Any) -> dict[str, Any]:
    base = {"seed": 1, "model": {"kind": kind}, "training": {"optimizer": {"kind": "adamw"}}}
    return base | sections | {"tune": {"trials": 1, "space": space}}


def resolved(params: dict[str, Any], task: str | None = None) -> Space:
    section = check(params, SearchSections, "params.yaml").tune.of_task(task)
    return resolve_space(section, params, FitSections)


def points(space: Space, count: int = POINTS) -> list[dict[str, Any]]:
    sampler = SAMPLERS.build(SAMPLERS["random"].options(), space, 7, 1)
    return sampler.propose([], [], count)


def active(section: Any) -> set[str]:
    return set(active_in(section))


def test_every_shipped_space_is_looked_at() -> None:
    assert set(names()) == {f"default_{kind}" for kind in MODELS} | {"cocktail"}
    assert {kind for kind, space in FITTING if space == "cocktail"} >= {"mlp", "resnet"}
    assert len(FITTING) == len(MODELS) + sum(MODELS[kind].facts["hidden_layers"] for kind in MODELS)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("kind", "name"), FITTING)
def test_every_point_can_be_trained(kind: str, name: str, task: str) -> None:
    params = tree(kind, name)
    space = resolved(params, task)
    found = points(space)
    assert len(found) == POINTS
    for chosen in found:
        sections = check(overlay(params, space.overrides(chosen)), SearchSections, "params.yaml")
        widths = MODELS[kind].cls.hidden_widths(sections.model)
        hidden = bool(MODELS[kind].facts["hidden_layers"])
        assert applicability_faults(sections.regularization, kind, task, hidden, widths) == []


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("kind", "name"), FITTING)
def test_every_known_good_start_lies_inside(kind: str, name: str, task: str) -> None:
    """All of them in the model's own space; the cocktail's ranges are its paper's, and strong decay lies outside."""
    params = tree(kind, name)
    space = resolved(params, task)
    starts = [start for start in starts_of(params, space, FitSections, task) if start.origin != "params.yaml"]
    narrow = space.dimensions if name == "cocktail" else {}
    fitting = [g for g in known_good(kind, task) if all(narrow[p].contains(v) for p, v in g.items() if p in narrow)]
    distinct = {tuple(sorted((p, v) for p, v in one.items() if p in space.paths)) for one in fitting}
    assert len(starts) == len(distinct) >= 1
    for start in starts:
        assert space.inside(start.settings | space.overrides(start.settings)) is not None


def test_a_trial_of_the_cocktail_has_what_it_chose_and_nothing_else() -> None:
    everything = {"mixup": {"alpha": 0.3}, "dropout": {"p": 0.1}, "weight_decay": {"strength": 0.01}}
    params = tree("mlp", "cocktail", regularization=everything)
    space = resolved(params)
    augmentations, shakes, decided = set(), set(), set()
    for chosen in points(space):
        section = check(overlay(params, space.overrides(chosen)), SearchSections, "").regularization
        on = active(section)
        wanted = chosen["choose.augmentation"]
        of_rows = {"mixup", "cutmix", "cutout", "adversarial"}
        assert on & of_rows == {wanted} - {"none"}, "what params.yaml has on is off"
        assert ("dropout" in on) is chosen["choose.dropout"]
        assert ("weight_decay" in on) is chosen["choose.weight_decay"]
        skips = chosen.get("regularization.skip_connections.enabled", False)
        assert ("skip_connections" in on) is skips
        assert on & {"shake_shake", "shake_drop"} == {chosen.get("choose.shake", "none")} - {"none"}
        augmentations.add(wanted)
        shakes.add(chosen.get("choose.shake"))
        decided.add(chosen["choose.dropout"])
    assert augmentations == {"none", "mixup", "cutmix", "cutout", "adversarial"}
    assert shakes == {None, "none", "shake_shake", "shake_drop"}
    assert decided == {True, False}


def test_what_params_yaml_decides_is_found_again_in_the_space() -> None:
    on = {"cutmix": {"probability": 0.4}, "dropout": {"p": 0.25, "shape": "diamond"}, "batch_norm": {"enabled": True}}
    params = tree("mlp", "cocktail", regularization=on)
    start = starts_of(params, resolved(params), FitSections, "binary")[0]
    assert start.origin == "params.yaml"
    assert start.settings["choose.augmentation"] == "cutmix"
    assert start.settings["choose.dropout"] is True
    assert start.settings["choose.weight_decay"] is False
    assert start.settings["regularization.dropout.shape"] == "diamond"
    assert "regularization.mixup.alpha" not in start.settings


def test_lines_of_params_yaml_go_over_the_shipped_ones() -> None:
    lines = {
        "base": "cocktail",
        "model.width": {"choices": [32, 48]},
        "model.layers": {"low": 2, "high": 3},
        "regularization.skip_connections.enabled": {"choices": [False, True]},
        "regularization.batch_norm.enabled": None,
        "training.optimizer.lr": {"low": 0.001, "high": 0.01, "log": True},
    }
    shipped, changed = resolved(tree("mlp", "cocktail")), resolved(tree("mlp", lines))
    assert set(shipped.paths) - set(changed.paths) == {"regularization.batch_norm.enabled"}
    assert set(changed.paths) - set(shipped.paths) == {"training.optimizer.lr"}
    assert changed.dimensions["model.width"].choices == [32, 48]
    assert changed.dimensions["regularization.skip_connections.enabled"].when == {}


@pytest.mark.parametrize(
    ("kind", "space", "message"),
    [
        ("mlp", "coktail", "tune.space: there is no such shipped space .*Did you mean 'cocktail'"),
        ("mlp", {"base": "defualt"}, "tune.space: there is no such shipped space .*Did you mean 'default'"),
        ("mlp", {"base": 3}, "tune.space: there is no such shipped space"),
        ("linear", "cocktail", "tune.space: the cocktail acts on hidden layers, and model linear has none"),
        ("mlp", {"base": "cocktail", "choose.shake": None}, "when.choose.shake: a condition must name an option"),
        ("mlp", {"base": "default", "model.width": {"choices": [0]}}, "tune.space.model.width.choices.0: is refused"),
        ("mlp", {"choose.it": {"choices": [1, 2]}}, "tune.space.choose.it: decides nothing"),
        (
            "mlp",
            {"choose.it": {"low": 1, "high": 2}, "model.width": {"choices": [8], "when": {"choose.it": 1}}},
            "tune.space.choose.it: a decision needs choices",
        ),
        (
            "mlp",
            {"choose.it": {"choices": [1]}, "model.width": {"choices": [8], "when": {"choose.it": 1}, "otherwise": 0}},
            "tune.space.model.width.otherwise: is refused",
        ),
        ("mlp", {"model.width": {"choices": [8], "otherwise": 4}}, "otherwise has no condition that could fail"),
        (
            "mlp",
            {f"regularization.{name}": {"low": 0, "high": 1} for name in ("mixup.alpha", "cutmix.probability")},
            "tune.space: has points that are refused: .*cutmix and mixup are active together",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_a_space_is_refused(kind: str, space: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        resolved(tree(kind, space))


def test_a_model_without_a_default_space_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODELS, "_members", dict(MODELS._members))

    @MODELS.register("newcomer", vectorizes=True, hidden_layers=True)
    class Newcomer(MODELS["mlp"].cls):  # type: ignore[misc,name-defined]
        def __init__(self, *runtime: Any, **options: Any) -> None: ...

    from goodfit.tuning.shipped import shipped

    with pytest.raises(ValueError, match="there is no default space for model newcomer"):
        shipped("default", "newcomer")
