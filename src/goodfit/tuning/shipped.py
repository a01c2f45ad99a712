"""Search spaces that ship with the package, as data, and what a params file changes in them line by line."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from goodfit.errors import suggestion
from goodfit.models import MODELS
from goodfit.params import overlay, read_yaml
from goodfit.training import FitSections
from goodfit.tuning.section import TuneSection

SPACES = Path(__file__).with_name("spaces")
BASE = "base"


class SearchSections(FitSections):
    """Everything in params.yaml that decides a search, besides the data; a shipped space is written out in it.

    Options:
        tune: how long to search, how, and over what.
    """

    tune: TuneSection = TuneSection()

    @model_validator(mode="before")
    @classmethod
    def _write_out(cls, tree: Any) -> Any:
        return written_out(tree) if isinstance(tree, dict) else tree


def written_out(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return sections in which a shipped space that `tune.space` names is written out.

    `tune.space` is then a name, or a mapping whose `base` is the name: its other lines go over the shipped ones, and
    null removes one. Anything else is returned as it is.

    Args:
        tree: the params file as read; `model.kind` decides which `default` it is.

    Raises:
        ValidationError: there is no such space, or none for this model.
    """
    tune = tree.get("tune")
    space = tune.get("space") if isinstance(tune, dict) else None
    if isinstance(space, str):
        return overlay(tree, {"tune.space": shipped(space, _kind(tree))})
    if not isinstance(space, dict) or BASE not in space:
        return tree
    lines = {path: line for path, line in space.items() if path != BASE}
    whole = shipped(space[BASE], _kind(tree)) | lines
    return overlay(tree, {"tune.space": {path: line for path, line in whole.items() if line is not None}})


def shipped(name: Any, kind: str) -> dict[str, Any]:
    """Return a shipped space as it would stand in params.yaml.

    Args:
        name: a file of `spaces`, or `default`: the model's own, `default_<kind>`.
        kind: of the model.

    Raises:
        ValidationError: there is no such space, or none for this model.
    """
    found = names()
    wanted = f"default_{kind}" if name == "default" else name
    if wanted not in found:
        known = sorted({"default", *(other for other in found if not other.startswith("default_"))})
        rule = f"there is no {name} space for model {kind}" if name == "default" else "there is no such shipped space"
        remedy = "Write the space out." if name == "default" else suggestion(str(name), known)
        raise _refused(rule, remedy, name)
    if wanted == "cocktail" and kind in MODELS and not MODELS[kind].facts["hidden_layers"]:
        raise _refused(f"the cocktail acts on hidden layers, and model {kind} has none", "Take space: default.", name)
    return dict(_file(SPACES / f"{wanted}.yaml"))


def names() -> list[str]:
    """Return the names of all shipped spaces."""
    return sorted(path.stem for path in SPACES.glob("*.yaml"))


def _kind(tree: Mapping[str, Any]) -> str:
    model = tree.get("model")
    return str(model.get("kind")) if isinstance(model, dict) else "None"


def _refused(rule: str, remedy: str, value: Any) -> ValidationError:
    said = PydanticCustomError("rule", "{rule}", {"rule": rule, "remedy": remedy})
    return ValidationError.from_exception_data(
        "SearchSections", [InitErrorDetails(type=said, loc=("tune", "space"), input=value)]
    )


@cache
def _file(path: Path) -> dict[str, Any]:
    return read_yaml(path)
