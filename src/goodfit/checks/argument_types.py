"""Is an argument of the right type? Great Expectations itself would turn "5" into 5.0, and true into 1.0."""

import datetime
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from goodfit.checks import catalog

MAX_NUMBER = 1.7976931348623157e308
"""Great Expectations keeps bounds as float64."""


def takes_dates(name: str, argument: str) -> bool:
    """Return whether an argument bounds a column's values, which may be dates, hence also ISO text."""
    return "column" in catalog.arguments(name) and datetime.datetime in _flat(
        catalog.expectations()[name].__fields__[argument].outer_type_
    )


def type_fault(name: str, argument: str, value: Any) -> str | None:
    """Return why a value is of the wrong type for an argument, or None; Great Expectations itself would convert it."""
    admitted = _flat(catalog.expectations()[name].__fields__[argument].outer_type_)
    if takes_dates(name, argument):
        return None if _is_number(value) or as_date(value) is not None else "needs a number or an ISO date"
    literals = [atom for atom in admitted if isinstance(atom, str)]
    if literals and str not in admitted:
        return None if value in literals else f"needs one of {', '.join(literals)}"
    fits = [fit for fit, wanted in _FITS if wanted & admitted]
    if not fits or any(_admits(fit, value) for fit in fits):
        return None
    return f"needs {' or '.join(fits)}"


def as_date(value: Any) -> datetime.datetime | None:
    """Return a YAML date, or ISO text, as a moment; None for everything else."""
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day)
    try:
        return datetime.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


_FITS: tuple[tuple[str, set[Any]], ...] = (
    ("a whole number", {int}),
    ("a number", {float}),
    ("true or false", {bool}),
    ("text", {str}),
    ("a list", {list, tuple, set}),
    ("a mapping", {dict}),
)


def _admits(fit: str, value: Any) -> bool:
    if fit == "a whole number":
        return _is_number(value) and float(value).is_integer()
    if fit == "a number":
        return _is_number(value)
    kinds = {"true or false": bool, "text": str, "a list": list | tuple, "a mapping": dict}
    return isinstance(value, kinds[fit])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER


def _flat(annotation: Any) -> set[Any]:
    """Return the plain types and literal values of an annotation of Great Expectations' fields."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        parts = [part for part in get_args(annotation) if part is not dict]  # a dict would be a suite parameter
        return set().union(*(_flat(part) for part in parts))
    if origin is Literal:
        return set(get_args(annotation))
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _flat(get_args(annotation)[0])
    if origin is not None:
        return {list}
    if not isinstance(annotation, type):
        return {annotation}
    plain = next(
        (kind for kind in (bool, int, float, str, list, tuple, set) if issubclass(annotation, kind)), annotation
    )
    return {dict} if _is_mapping(annotation) else {plain}


def _is_mapping(annotation: type) -> bool:
    return annotation is dict or hasattr(annotation, "__fields__")
