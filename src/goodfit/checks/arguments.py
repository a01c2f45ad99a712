"""The arguments of an expectation, as Great Expectations needs them for the columns at hand."""

import datetime
from typing import Any

import pandas as pd
from pandas.api import types as kinds

from goodfit.checks import catalog
from goodfit.checks.argument_types import as_date, takes_dates
from goodfit.checks.expectation import Expectation
from goodfit.checks.views import EXEMPLARS

LISTED_AS = EXEMPLARS | {"str": "StringDtype"}
"""How Great Expectations' type lists call it."""

BOUNDS = ("min_value", "max_value")


def arguments_for(expectation: Expectation, frame: pd.DataFrame) -> dict[str, Any]:
    """Return the arguments as Great Expectations needs them for these columns.

    Raises:
        ValueError: a bound is a date and the column holds numbers, or the other way round.
    """
    arguments = dict(expectation.arguments)
    if catalog.about_types(expectation.name):
        return _typed(arguments)
    timed = [name for name in expectation.columns if kinds.is_datetime64_any_dtype(frame[name].dtype)]
    for key in BOUNDS:
        if key in arguments and expectation.columns and takes_dates(expectation.name, key):
            arguments[key] = _bound(arguments[key], bool(timed), key)
    if timed and "value_set" in arguments:
        arguments["value_set"] = [_moment(value, frame[timed[0]]) for value in arguments["value_set"]]
    return arguments


def _typed(arguments: dict[str, Any]) -> dict[str, Any]:
    if "type_" in arguments:
        return arguments | {"type_": "str" if arguments["type_"] == "str" else EXEMPLARS[arguments["type_"]]}
    return arguments | {"type_list": [LISTED_AS[name] for name in arguments["type_list"]]}


def _bound(value: Any, timed: bool, key: str) -> Any:
    moment = as_date(value)
    if timed and moment is None:
        raise ValueError(f"{key} is {value}, and the column holds times: write an ISO date, such as '2024-01-31'")
    if not timed and moment is not None:
        raise ValueError(f"{key} is the date {value}, and the column does not hold times")
    if moment is None:
        return value
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return (moment - datetime.datetime(1970, 1, 1)) / datetime.timedelta(microseconds=1)


def _moment(value: Any, values: pd.Series) -> Any:
    moment = as_date(value)
    zone = getattr(values.dtype, "tz", None)
    if moment is None:
        raise ValueError(f"value_set holds {value!r}, and the column holds times: write ISO dates")
    stamp = pd.Timestamp(moment)
    if zone is None or stamp.tzinfo is not None:
        return stamp
    return stamp.tz_localize(zone)
