"""A search space that has been checked against the options it sets: every value it can propose is a legal one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goodfit.errors import ConfigurationError
from goodfit.registry import Section
from goodfit.tuning.faults import check_space
from goodfit.tuning.probe import Probe, probes
from goodfit.tuning.section import Dimension, TuneSection

EDGE = 0.02
"""A best value within this share of a range from its end may mean that the range should be wider."""


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


@dataclass(frozen=True)
class Space:
    """The searched options, sorted by path, so that their order in params.yaml does not change the search."""

    axes: tuple[Axis, ...] = ()

    @property
    def paths(self) -> list[str]:
        """The dotted options that are searched."""
        return [axis.path for axis in self.axes]

    def identity(self) -> dict[str, Any]:
        """Return what tells this space from another one, as a JSON-able value."""
        return {axis.path: {**axis.dimension.model_dump(), "whole": axis.whole} for axis in self.axes}


def resolve_space(
    section: TuneSection, tree: Mapping[str, Any], model: type[Section], place: str = "params.yaml"
) -> Space:
    """Check the space of a section and return it with what is known about each option.

    Args:
        section: the `tune` section.
        tree: the params file as read, not resolved: a written-out default of one kind is unknown to another kind.
        model: the sections that a trial reads.
        place: the file that messages name.

    Raises:
        ConfigurationError: with every fault.
    """
    faults = check_space(section, tree, model, place)
    if faults:
        raise ConfigurationError(faults)
    probe = next(probes(section, tree, model))
    return Space(tuple(_axis(path, section.space[path], probe) for path in sorted(section.space)))


def _axis(path: str, dimension: Dimension, probe: Probe) -> Axis:
    if dimension.choices is not None:
        return Axis(path, dimension)
    low, high = dimension.ends
    whole = probe.takes_whole_numbers_only(path, dimension)
    beyond = 1 if whole else (high - low) * EDGE
    below = low / (1 + EDGE) if dimension.log and not whole else low - beyond
    return Axis(path, dimension, whole, not probe.refusal({path: below}), not probe.refusal({path: high + beyond}))
