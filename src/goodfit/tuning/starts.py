"""Settings to begin a search with: those of params.yaml, those of a champion, then known-good ones that ship."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from goodfit.errors import ConfigurationError
from goodfit.params import check, dotted, fields_of, overlay, read_yaml
from goodfit.registry import Section
from goodfit.tuning.axes import Space
from goodfit.tuning.samplers import Settings

KNOWN_GOOD = Path(__file__).with_name("known_good")
CONFIGURED, OF_CHAMPION = "params.yaml", "champion"


@dataclass(frozen=True)
class Start:
    """Settings that a search tries before it lets its sampler choose.

    Args:
        settings: dotted option to value, inside the space.
        origin: where they come from, as trials show it.
    """

    settings: Settings
    origin: str


def starts_of(
    tree: Mapping[str, Any],
    space: Space,
    model: type[Section],
    task: str,
    *,
    champion: Mapping[str, Any] | None = None,
    shipped: bool = True,
) -> list[Start]:
    """Return what to begin with: configured, champion's, then known-good settings; each once, all inside the space.

    Args:
        tree: the sections of params.yaml that a trial reads, as read.
        space: what is searched.
        model: those sections.
        task: binary, multiclass or regression.
        champion: its settings by dotted option, whatever else there is; of them, those that are searched count.
        shipped: whether configured and known-good settings count.
    """
    wanted = {name: tree[name] for name in fields_of(model) if name in tree}
    searched = {path: value for path, value in (champion or {}).items() if path in space.paths}
    found = list(_inside(wanted, {}, space, model, CONFIGURED)) if shipped else []
    found += _inside(wanted, searched, space, model, OF_CHAMPION) if searched else []
    found += _known_good(wanted, space, model, task) if shipped else []
    once: list[Start] = []
    for start in found:
        if start.settings not in [other.settings for other in once]:
            once.append(start)
    return once


def known_good(kind: str, task: str) -> Sequence[Mapping[str, Any]]:
    """Return the settings that are known to do well for a model and a task, by dotted option; the best first."""
    path = KNOWN_GOOD / f"{kind}.yaml"
    return _file(path).get(task, []) if path.exists() else []


def _known_good(tree: Mapping[str, Any], space: Space, model: type[Section], task: str) -> Iterator[Start]:
    for kind in _kinds(tree, space):
        for settings in known_good(kind, task):
            searched = {path: value for path, value in settings.items() if path in space.paths}
            chosen = {"model.kind": kind} if "model.kind" in space.paths else {}
            yield from _inside(tree, {**chosen, **searched}, space, model, f"known_good/{kind}.yaml")


def _kinds(tree: Mapping[str, Any], space: Space) -> list[str]:
    searched = [axis.dimension.choices for axis in space.axes if axis.path == "model.kind"]
    return [str(kind) for kind in searched[0] or []] if searched else [str(tree["model"]["kind"])]


def _inside(
    tree: Mapping[str, Any], settings: Mapping[str, Any], space: Space, model: type[Section], origin: str
) -> Iterator[Start]:
    """Yield the start that these settings make over the configured ones, if it lies inside the space."""
    try:
        resolved = dotted(check(overlay(tree, settings), model, ""))
    except ConfigurationError:
        return
    inside = space.inside(resolved)
    if inside:
        yield Start(inside, origin)


@cache
def _file(path: Path) -> dict[str, Any]:
    return read_yaml(path)
