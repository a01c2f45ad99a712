"""Try some points of a search space, since values that are legal one by one may not be so together."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from goodfit.errors import Fault
from goodfit.registry import Section
from goodfit.tuning.axes import Space
from goodfit.tuning.cube import value_at
from goodfit.tuning.dimension import Scalar
from goodfit.tuning.probe import Probe

POINTS = 32
"""What a twentieth of all points would be refused for, these find in four of five cases; each takes a millisecond."""


def point_faults(space: Space, tree: Mapping[str, Any], model: type[Section], prefix: str) -> Iterator[Fault]:
    """Yield a fault if any of some random points is refused.

    Args:
        space: whose options are sound one by one.
        tree: the params file as read.
        model: the sections that a trial reads.
        prefix: where the space stands, for messages.
    """
    probe, chance = Probe(tree, model, {}), random.Random(0)
    for _ in range(POINTS):
        chosen: dict[str, Scalar] = {}
        for axis in space.ordered:
            if axis.active(chosen):
                chosen[axis.path] = value_at(axis, chance.random())
        settings = space.overrides(chosen)
        if refusal := probe.refusal(settings):
            rule = f"has points that are refused: {refusal}"
            yield Fault(prefix, rule, settings, "Make one depend on the other (when), or search only one of them.")
            return
