"""Find everything that is wrong with a search space, before the first trial."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from goodfit.errors import Fault, suggestion
from goodfit.registry import Section
from goodfit.tuning.conditions import condition_faults
from goodfit.tuning.decisions import decision_faults, is_decision
from goodfit.tuning.dimension import Dimension, Scalar
from goodfit.tuning.probe import Probe, probes, searched_kinds
from goodfit.tuning.section import TuneSection

SEARCHABLE = ("model", "regularization", "training")


def check_space(
    section: TuneSection, tree: Mapping[str, Any], model: type[Section], place: str = "params.yaml"
) -> list[Fault]:
    """Return every fault of a space: unknown or unsearchable options, ends and choices that an option refuses.

    Args:
        section: the `tune` section.
        tree: the params file as read, not resolved: a written-out default of one kind is unknown to another kind.
        model: the sections that a trial reads.
        place: the file that messages name.
    """
    base = Probe(tree, model, {})
    if base.problem:
        return [Fault(place, f"is not valid without the search: {base.problem}")]
    prefix = f"{place}: tune.space"
    if conditions := [*condition_faults(section.space, prefix), *decision_faults(section.space, prefix)]:
        return conditions
    refused_kinds = list(_kind_faults(section, base, prefix))
    faults: dict[str, Fault] = {fault.place: fault for fault in refused_kinds}
    every = [base] if refused_kinds else list(probes(section, tree, model))
    for probe in every:
        for fault in _faults(section, base, probe, prefix):
            faults.setdefault(fault.place, fault)
    return list(faults.values()) or list(_never_true(section, every, prefix))


def _never_true(section: TuneSection, every: Sequence[Probe], prefix: str) -> Iterator[Fault]:
    """Yield the options whose conditions can each be met, and never together."""
    for path in sorted(section.space):
        if not any(probe.active(path) for probe in every):
            rule = "is never true: what it depends on has conditions that this one excludes"
            yield Fault(f"{prefix}.{path}.when", rule, None, "Mend one of the two.")


def _kind_faults(section: TuneSection, base: Probe, prefix: str) -> Iterator[Fault]:
    """Yield the kinds that the params cannot take, for they do not exist or do not know what is written beside them."""
    for path, kinds in searched_kinds(section).items():
        for index, kind in enumerate(kinds if path in base.options else ()):
            if refusal := base.refusal({path: kind}):
                remedy = "Search only kinds that know every option written beside them."
                yield Fault(f"{prefix}.{path}.choices.{index}", f"is refused: {refusal}", kind, remedy)


def _faults(section: TuneSection, base: Probe, probe: Probe, prefix: str) -> Iterator[Fault]:
    if probe.problem:
        path = next(iter(probe.kinds))
        yield Fault(f"{prefix}.{path}", f"is refused{probe.condition}: {probe.problem}")
        return
    for path, dimension in sorted(section.space.items()):
        if not probe.active(path):
            continue
        if is_decision(path):
            yield from _refusals(path, dimension, probe, f"{prefix}.{path}")
        elif path.partition(".")[0] not in SEARCHABLE:
            rule = "only options below model, regularization and training can be searched"
            yield Fault(f"{prefix}.{path}", rule, None, "Remove it.")
        elif path not in probe.options:
            yield _unknown(path, base, probe, f"{prefix}.{path}")
        elif path not in searched_kinds(section):
            yield from _refusals(path, dimension, probe, f"{prefix}.{path}")


def _refusals(path: str, dimension: Dimension, probe: Probe, place: str) -> Iterator[Fault]:
    """Yield the ends and choices that an option refuses."""
    # Its section may not be written, so that the kind is unknown.
    if not is_decision(path) and (refusal := probe.refusal({path: probe.options[path]})):
        yield Fault(place, f"cannot be set alone: {refusal}", None, "Write its section, with the kind, in the file.")
        return
    if dimension.otherwise is not None and (refusal := probe.refusal({path: dimension.otherwise})):
        yield Fault(f"{place}.otherwise", f"is refused{probe.condition}: {refusal}", dimension.otherwise)
    for name, value in _values(dimension):
        if refusal := probe.refusal({path: value}):
            yield Fault(f"{place}.{name}", f"is refused{probe.condition}: {refusal}", value)
    if isinstance(dimension.step, float) and probe.takes_whole_numbers_only(path, dimension):
        yield Fault(f"{place}.step", "the option takes whole numbers only", dimension.step, "Write a whole step.")


def _values(dimension: Dimension) -> Iterator[tuple[str, Scalar]]:
    """Yield each end of a range, or each choice, with its place below the dimension."""
    if dimension.choices is None:
        yield from zip(("low", "high"), dimension.ends, strict=True)
        return
    for index, choice in enumerate(dimension.choices):
        yield f"choices.{index}", choice


def _unknown(path: str, base: Probe, probe: Probe, place: str) -> Fault:
    if any(option.startswith(f"{path}.") for option in probe.options):
        return Fault(place, "is a section, not an option", None, "Name one of the options in it.")
    rule = f"there is no such option{probe.condition}"
    if path in base.options:
        return Fault(place, rule, None, "Search only kinds that know it, or search it in another run.")
    searchable = [option for option in probe.options if option.partition(".")[0] in SEARCHABLE]
    near = [option for option in searchable if option.startswith(f"{path.rpartition('.')[0]}.")]
    return Fault(place, rule, None, suggestion(path, near or searchable))
