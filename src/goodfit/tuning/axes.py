"""The searched options as samplers see them: checked, in order, each with the condition under which it exists."""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from goodfit.tuning.decisions import holds, inferred, is_decision, overrides
from goodfit.tuning.dimension import Dimension, Scalar


@dataclass(frozen=True)
class Axis:
    """One searched option.

    Args:
        path: dotted, as in params.yaml.
        dimension: the values it may take.
        whole: whether the option takes whole numbers only.
        below: whether values below the range would be legal too.
        above: whether values above the range would be legal too.
    """

    path: str
    dimension: Dimension
    whole: bool = False
    below: bool = True
    above: bool = True

    def active(self, chosen: Mapping[str, Scalar]) -> bool:
        """Return whether the option exists, given those it depends on: they exist, with a value it wants."""
        return holds(self.dimension, chosen)


@dataclass(frozen=True)
class Space:
    """The searched options, sorted by path, so that their order in params.yaml does not change the search."""

    axes: tuple[Axis, ...] = ()

    @property
    def paths(self) -> list[str]:
        """The dotted options that are searched."""
        return [axis.path for axis in self.axes]

    @property
    def conditional(self) -> bool:
        """Whether any option exists only for some values of another."""
        return any(axis.dimension.when for axis in self.axes)

    @property
    def ordered(self) -> list[Axis]:
        """The axes, each behind those that its condition names."""
        named = {axis.path: axis for axis in self.axes}
        if not self.conditional:
            return list(self.axes)
        graph = {axis.path: sorted(axis.dimension.when) for axis in self.axes}
        return [named[path] for path in TopologicalSorter(graph).static_order()]

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """Each path with the values it may take."""
        return {axis.path: axis.dimension for axis in self.axes}

    def overrides(self, chosen: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """Return what a trial sets, by dotted option; see `goodfit.tuning.decisions`."""
        return overrides(self.dimensions, chosen)

    def inside(self, settings: Mapping[str, Any]) -> dict[str, Scalar] | None:
        """Return the part of resolved settings that this space searches, or None where one lies outside its range."""
        known = {path: value for path, value in settings.items() if not is_decision(path)}
        known |= inferred(self.dimensions, settings)
        chosen: dict[str, Scalar] = {}
        for axis in self.ordered:
            if not axis.active(chosen):
                if axis.dimension.otherwise not in (None, known.get(axis.path)):
                    return None
                continue
            if axis.path not in known or not axis.dimension.contains(known[axis.path]):
                return None
            chosen[axis.path] = known[axis.path]
        return {path: chosen[path] for path in self.paths if path in chosen}

    def identity(self) -> dict[str, Any]:
        """Return what tells this space from another one, as a JSON-able value."""
        return {axis.path: {**axis.dimension.model_dump(), "whole": axis.whole} for axis in self.axes}
