"""What can be wrong with one item of a suite. Great Expectations would convert most of it, or pass on it."""

from collections.abc import Iterator, Mapping
from typing import Any

from goodfit.checks import catalog
from goodfit.checks.argument_types import as_date, type_fault
from goodfit.checks.expectation import SEVERITIES, Expectation
from goodfit.errors import Fault, suggestion

OWN_KEYS = ("expectation", "severity", "notes")


def expectation_in(item: Mapping[str, Any]) -> Expectation:
    """Return the rule that an item without faults states."""
    arguments = {key: value for key, value in item.items() if key not in OWN_KEYS and value is not None}
    return Expectation(item["expectation"], arguments, item.get("severity", "critical"), item.get("notes", ""))


def faults_in(item: Any, place: str) -> list[Fault]:
    """Return what is wrong with one item of a suite: unknown names first, then types, then rules between arguments."""
    if not isinstance(item, dict):
        return [Fault(place, "must be a mapping that names an expectation", item, "Write {expectation: expect_...}.")]
    name = item.get("expectation")
    if name is None:
        return [Fault(f"{place}.expectation", "is missing", None, "Name an expectation: expect_...")]
    if not isinstance(name, str) or name not in catalog.expectations():
        return [Fault(f"{place}.expectation", "unknown expectation", name, _closest(str(name)))]
    faults = [*_setting_faults(item, place), *_argument_faults(item, name, place)]
    return faults or list(_rule_faults(expectation_in(item), place))


def _closest(name: str) -> str:
    return (
        suggestion(name, catalog.expectations()).split("Known:")[0].strip()
        or "See the list in Great Expectations' gallery."
    )


def _setting_faults(item: Mapping[str, Any], place: str) -> Iterator[Fault]:
    severity = item.get("severity", "critical")
    if severity not in SEVERITIES:
        yield Fault(f"{place}.severity", "unknown severity", severity, suggestion(severity, SEVERITIES))
    if not isinstance(item.get("notes", ""), str):
        yield Fault(f"{place}.notes", "needs text", item["notes"])


def _argument_faults(item: Mapping[str, Any], name: str, place: str) -> Iterator[Fault]:
    known = catalog.arguments(name)
    given = {key: value for key, value in item.items() if key not in OWN_KEYS}
    for key in given:
        if key in ("row_condition", "condition_parser"):
            yield Fault(
                f"{place}.{key}",
                "is not supported: a condition that no row meets would pass",
                given[key],
                "Check the whole column.",
            )
        elif key not in known:
            yield Fault(f"{place}.{key}", f"unknown argument of {name}", None, suggestion(key, known))
    for key, required in known.items():
        if required and given.get(key) is None:
            yield Fault(f"{place}.{key}", f"is missing; {name} needs it", None, "Set it.")
        elif given.get(key) is not None and (wrong := type_fault(name, key, given[key])):
            yield Fault(f"{place}.{key}", wrong, given[key])


def _rule_faults(expectation: Expectation, place: str) -> Iterator[Fault]:
    """Yield what is wrong between the arguments: types are right by now."""
    arguments = expectation.arguments
    if arguments.get("mostly") == 0:
        yield Fault(
            f"{place}.mostly", "is 0, which every table passes", None, "Ask for a share above 0, or leave the rule out."
        )
    if not all(isinstance(name, str) for name in expectation.columns):
        yield Fault(f"{place}.column_list", "must hold column names", arguments.get("column_list"))
    bounded = {"min_value", "max_value"} <= set(catalog.arguments(expectation.name))
    wrong = list(_bound_faults(arguments.get("min_value"), arguments.get("max_value"), place)) if bounded else []
    yield from wrong
    if catalog.about_types(expectation.name):
        names = arguments.get("type_list") or [arguments.get("type_")]
        yield from (_type_name_fault(name, place) for name in names if name not in catalog.TYPE_NAMES)
    if not wrong:
        yield from _library_faults(expectation, place)


def _bound_faults(low: Any, high: Any, place: str) -> Iterator[Fault]:
    if low is None and high is None:
        yield Fault(place, "sets neither min_value nor max_value, so everything passes", None, "Set one of them.")
        return
    if low is None or high is None:
        return
    dates = as_date(low), as_date(high)
    if (dates[0] is None) != (dates[1] is None):
        yield Fault(place, "mixes a number and a date in min_value and max_value", [low, high], "Use two of a kind.")
    elif (low, high) != (low, high) or (dates[0] or low) > (dates[1] or high):
        yield Fault(f"{place}.min_value", "is above max_value", [low, high], "Swap them.")


def _type_name_fault(name: Any, place: str) -> Fault:
    rule = "unknown type; width and missing values make no difference here"
    return Fault(f"{place}.type", rule, name, suggestion(name, catalog.TYPE_NAMES))


def _library_faults(expectation: Expectation, place: str) -> Iterator[Fault]:
    """Yield what Great Expectations' own check of the arguments says."""
    try:
        catalog.expectations()[expectation.name](**expectation.arguments)
    except Exception as error:  # its errors share no base class
        yield Fault(place, " ".join(str(error).split()), None, "See the documentation of this expectation.")
