"""A search space that has been checked against the options it sets: every value it can propose is a legal one."""

from collections.abc import Mapping, Sequence
from typing import Any

from goodfit.errors import ConfigurationError
from goodfit.registry import Section
from goodfit.tuning.axes import Axis, Space
from goodfit.tuning.decisions import is_decision
from goodfit.tuning.dimension import Dimension
from goodfit.tuning.faults import check_space
from goodfit.tuning.probe import Probe, probes
from goodfit.tuning.result import EDGE
from goodfit.tuning.section import TuneSection
from goodfit.tuning.trying import point_faults


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
    section = section.of_task(None)
    faults = check_space(section, tree, model, place)
    if faults:
        raise ConfigurationError(faults)
    every = list(probes(section, tree, model))
    space = Space(tuple(_axis(path, section.space[path], _knowing(path, every)) for path in sorted(section.space)))
    if points := list(point_faults(space, tree, model, f"{place}: tune.space")):
        raise ConfigurationError(points)
    return space


def _knowing(path: str, every: Sequence[Probe]) -> Probe:
    """Return the first combination of kinds under which the option exists."""
    return next(probe for probe in every if (path in probe.options or is_decision(path)) and probe.active(path))


def _axis(path: str, dimension: Dimension, probe: Probe) -> Axis:
    if dimension.choices is not None:
        return Axis(path, dimension)
    low, high = dimension.ends
    whole = probe.takes_whole_numbers_only(path, dimension)
    beyond = 1 if whole else (high - low) * EDGE
    below = low / (1 + EDGE) if dimension.log and not whole else low - beyond
    return Axis(path, dimension, whole, not probe.refusal({path: below}), not probe.refusal({path: high + beyond}))
