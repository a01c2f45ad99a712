"""Ask the options themselves what they may be set to, by setting them and validating the whole."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from goodfit.errors import ConfigurationError
from goodfit.params import check, dotted, fields_of, overlay
from goodfit.registry import Section
from goodfit.tuning.decisions import assumed, overrides
from goodfit.tuning.dimension import Dimension, Scalar
from goodfit.tuning.section import TuneSection


class Probe:
    """The params under one combination of the searched kinds: says what else may be set to what."""

    def __init__(
        self,
        tree: Mapping[str, Any],
        model: type[Section],
        kinds: Mapping[str, Scalar],
        space: Mapping[str, Dimension] | None = None,
    ) -> None:
        self._space = space or {}
        wanted = {key: value for key, value in tree.items() if key in fields_of(model)}
        self.kinds = kinds
        self._tree, self._model = overlay(wanted, kinds), model
        self.problem = self.refusal({})
        self.options = {} if self.problem else dotted(check(self._tree, model, ""))

    def refusal(self, values: Mapping[str, Scalar]) -> str:
        """Return why these values are refused, or nothing; what they depend on is set so that they exist."""
        chosen = dict(values)
        for path in values:
            if path in self._space:
                chosen = assumed(self._space, path, self.kinds) | chosen
        try:
            check(overlay(self._tree, overrides(self._space, chosen) if chosen else {}), self._model, "")
        except ConfigurationError as error:
            return "; ".join(f"{fault.place.removeprefix(': ')}: {fault.rule}" for fault in error.faults)
        return ""

    def takes_whole_numbers_only(self, path: str, dimension: Dimension) -> bool:
        """Return whether an option with a range of whole numbers refuses what lies between two of them."""
        low, high = dimension.ends
        return isinstance(low, int) and isinstance(high, int) and bool(self.refusal({path: low + 0.5}))

    def active(self, path: str) -> bool:
        """Return whether a searched option can exist under these kinds, as far as kinds decide it."""
        conditions = self._space[path].conditions if path in self._space else {}
        return all(self._met(other, values) for other, values in conditions.items())

    def _met(self, other: str, values: list[Scalar]) -> bool:
        return self.kinds[other] in values if other in self.kinds else self.active(other)

    @property
    def condition(self) -> str:
        """The combination in words, for messages."""
        return "".join(f" with {path} {value}" for path, value in self.kinds.items())


def searched_kinds(section: TuneSection) -> dict[str, list[Any]]:
    """Return the dotted `kind` options that are searched, with their choices."""
    space = sorted(section.space.items())
    return {path: dimension.choices for path, dimension in space if path.endswith(".kind") and dimension.choices}


def probes(section: TuneSection, tree: Mapping[str, Any], model: type[Section]) -> Iterator[Probe]:
    """Yield a probe for each combination of the searched kinds: a kind decides which other options exist."""
    kinds = searched_kinds(section)
    for combination in itertools.product(*kinds.values()):
        yield Probe(tree, model, dict(zip(kinds, combination, strict=True)), section.space)
