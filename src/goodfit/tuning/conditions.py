"""Find what is wrong with the conditions of a search space: what they name, what they want, and whether they circle."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from goodfit.errors import Fault, shorten, suggestion
from goodfit.tuning.dimension import Dimension, Scalar


def condition_faults(space: Mapping[str, Dimension], prefix: str) -> list[Fault]:
    """Return every fault of the `when` of each dimension.

    Args:
        space: dotted option to its dimension.
        prefix: where the space stands, for messages.
    """
    faults = [fault for path in sorted(space) for fault in _faults(path, space, prefix)]
    return faults or list(_circles(space, prefix))


def _faults(path: str, space: Mapping[str, Dimension], prefix: str) -> Iterator[Fault]:
    for other, values in space[path].conditions.items():
        place = f"{prefix}.{path}.when.{other}"
        if other not in space:
            remedy = suggestion(other, [name for name in space if name != path])
            yield Fault(place, "a condition must name an option that is searched too", None, remedy)
        elif other == path:
            yield Fault(place, "an option cannot depend on itself", None, "Name another one.")
        else:
            yield from _impossible(place, space[other], values)


def _impossible(place: str, other: Dimension, values: list[Scalar]) -> Iterator[Fault]:
    """Yield a fault for each wanted value that the other option never has: such a condition is never true."""
    for value in values:
        if not other.contains(value):
            allowed = f"{other.low} to {other.high}" if other.choices is None else shorten(other.choices)
            yield Fault(place, f"is never true: the option is searched over {allowed}", value, "Mend one of the two.")


def _circles(space: Mapping[str, Dimension], prefix: str) -> Iterator[Fault]:
    try:
        TopologicalSorter({path: sorted(dimension.when) for path, dimension in space.items()}).prepare()
    except CycleError as error:
        circle = list(error.args[1])
        rule = f"conditions depend on each other in a circle: {' -> '.join(reversed(circle))}"
        yield Fault(f"{prefix}.{min(circle)}.when", rule, None, "Drop one of them.")
