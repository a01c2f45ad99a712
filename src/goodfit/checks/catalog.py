"""What Great Expectations knows: the expectations that run on pandas, and their arguments.

The library takes about 3 s to import, whatever part of it is asked for, so it is imported on first use and not before.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

SETTINGS = {"id", "meta", "notes", "result_format", "description", "catch_exceptions", "rendered_content"}
SETTINGS |= {"severity", "windows", "batch_id", "row_condition", "condition_parser", "library_metadata"}
"""Fields of every expectation that are no arguments of its rule."""

NOT_ON_PANDAS = ("like_pattern", "query", "other_table", "multicolumn_values_to_be_unique", "unexpected_rows")
TYPE_NAMES = ("bool", "datetime64", "float64", "int64", "str")
"""The type names a suite may use; width and missing values make no difference."""


@cache
def library() -> ModuleType:
    """Import great_expectations: no telemetry, and none of the deprecation warnings that it raises at import."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations
        import great_expectations.expectations
    return great_expectations


@contextmanager
def hushed() -> Iterator[None]:
    """Keep the library's log lines and third-party warnings off the screen: every exception is in the results."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@cache
def expectations() -> dict[str, Any]:
    """Return every expectation that runs on pandas, by its name in a suite."""
    module = library().expectations
    classes = (getattr(module, name) for name in dir(module) if name.startswith("Expect"))
    named = {getattr(c, "expectation_type", None): c for c in classes}
    return {n: c for n, c in named.items() if n and not any(part in n for part in NOT_ON_PANDAS)}


@cache
def arguments(name: str) -> dict[str, bool]:
    """Return the arguments of an expectation and whether each must be given."""
    fields = expectations()[name].__fields__
    return {argument: bool(field.required) for argument, field in fields.items() if argument not in SETTINGS}


def is_row_level(name: str) -> bool:
    """Return whether an expectation judges each row by itself, so that a row can be set aside for it."""
    return getattr(expectations()[name], "map_metric", None) is not None and not about_types(name)


def about_types(name: str) -> bool:
    """Return whether an expectation looks at a column's type only, never at its values."""
    return bool({"type_", "type_list"} & set(arguments(name)))
