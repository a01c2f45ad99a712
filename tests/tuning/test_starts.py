"""What a search begins with: the configured settings, then known-good ones, each inside its space."""

from pathlib import Path
from typing import Any

import pytest

from goodfit.models import MODELS
from goodfit.params import read_yaml
from goodfit.training import FitSections
from goodfit.tuning import TuneSection, resolve_space, starts_of
from goodfit.tuning.starts import KNOWN_GOOD, known_good

ROOT = Path(__file__).parents[2]
EVERY = [*sorted(ROOT.glob("examples/*/params.yaml")), ROOT / "params.yaml"]
PROJECTS = [path for path in EVERY if read_yaml(path)["tune"]["trials"]]
TASKS = {"diamonds": "regression", "flights": "binary"}


def begun(path: Path) -> tuple[Any, Any, list[Any]]:
    tree = read_yaml(path)
    section = TuneSection.model_validate(tree["tune"])
    space = resolve_space(section, tree, FitSections)
    return tree, space, starts_of(tree, space, FitSections, TASKS.get(path.parent.name, "binary"))


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_every_start_of_a_shipped_project_lies_inside_its_space(path: Path) -> None:
    tree, space, starts = begun(path)
    task = TASKS.get(path.parent.name, "binary")
    assert starts[0].origin == "params.yaml"
    known = known_good(tree["model"]["kind"], task)
    ranges = space.dimensions  # of a project may be narrower than those of the model's own space
    inside = [one for one in known if all(ranges[p].contains(v) for p, v in one.items() if p in ranges)]
    assert len(starts) == 1 + len(inside), "one is left out, or equals another"
    assert len(inside) >= 1
    for start in starts:
        assert space.inside(start.settings) == start.settings
        assert set(start.settings) == set(space.paths)


@pytest.mark.parametrize("kind", sorted(path.stem for path in KNOWN_GOOD.glob("*.yaml")))
def test_known_good_settings_are_options_of_their_model(kind: str) -> None:
    assert kind in MODELS
    options = set(MODELS[kind].options.model_fields)
    for task in ("binary", "multiclass", "regression"):
        assert len(known_good(kind, task)) >= 1
        for settings in known_good(kind, task):
            named = {path.split(".")[1] for path in settings if path.startswith("model.")}
            assert named <= options


def test_settings_outside_the_space_are_left_out() -> None:
    tree = read_yaml(ROOT / "params.yaml")
    narrow = {"model.width": {"low": 4, "high": 8}}
    space = resolve_space(TuneSection.model_validate({"trials": 1, "space": narrow}), tree, FitSections)
    assert starts_of(tree, space, FitSections, "binary") == []


def test_a_champion_comes_second_and_brings_only_what_is_searched() -> None:
    tree = read_yaml(ROOT / "params.yaml")
    space = resolve_space(TuneSection.model_validate(tree["tune"]), tree, FitSections)
    plain = starts_of(tree, space, FitSections, "binary")
    champion = {"model.width": 64, "training.optimizer.lr": 0.0007, "training.epochs": 3, "tune.trials": 9}
    starts = starts_of(tree, space, FitSections, "binary", champion=champion)
    assert [start.origin for start in starts] == ["params.yaml", "champion", *(s.origin for s in plain[1:])]
    assert starts[1].settings == plain[0].settings | {"model.width": 64, "training.optimizer.lr": 0.0007}
    alone = starts_of(tree, space, FitSections, "binary", champion=champion, shipped=False)
    assert [start.origin for start in alone] == ["champion"]


@pytest.mark.parametrize("champion", [{"model.width": 65}, {"model.width": "wide"}, {"training.epochs": 3}, {}])
def test_a_champion_outside_the_space_is_left_out(champion: dict[str, Any]) -> None:
    tree = read_yaml(ROOT / "params.yaml")
    space = resolve_space(TuneSection.model_validate(tree["tune"]), tree, FitSections)
    assert starts_of(tree, space, FitSections, "binary", champion=champion) == starts_of(
        tree, space, FitSections, "binary"
    )
