"""What MLflow would cut, merge or refuse is kept whole by us, or refused before anything is sent."""

import hashlib
import json
import math
import posixpath
import re
from collections.abc import Mapping
from typing import Any

from goodfit.errors import ConfigurationError, Fault
from goodfit.tracking.redaction import redact_texts, redact_values

LONGEST_PARAM = 6000
LONGEST_TAG = 8000
LONGEST_NAME = 250
_LEGAL = re.compile(r"^[/\w.\- :]+$")


def legal(name: str) -> bool:
    """Tell whether every MLflow store takes this name of a metric, param or tag, unchanged."""
    path = posixpath.normpath(name)
    return bool(_LEGAL.match(name)) and len(name) <= LONGEST_NAME and path == name and path[0] not in "./"


def check_attempt(attempt: str) -> str:
    """Return an attempt's key if it can name a folder and stand in a search.

    Raises:
        ConfigurationError: it cannot.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", attempt) or ".." in attempt:
        raise ConfigurationError([Fault("attempt", "must be letters, digits, dots and dashes", attempt)])
    return attempt


def split_metrics(values: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the finite metrics and the others, which MLflow would store as 1.8e308 or as 0.

    Raises:
        ConfigurationError: a name that a store would refuse or alter, or two names that differ in case only.
    """
    faults = [Fault(f"metric '{name}'", _rule(), None, "Rename it.") for name in values if not legal(name)]
    faults += _collisions(values, "metric")
    if faults:
        raise ConfigurationError(faults)
    numbers = {name: float(value) for name, value in values.items()}
    finite = {name: value for name, value in numbers.items() if math.isfinite(value)}
    return finite, {name: value for name, value in numbers.items() if name not in finite}


def split_params(values: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the params as MLflow can keep them, and those that must be kept whole elsewhere.

    A value that is too long appears among the first with its digest in its place; a name that MLflow refuses
    appears among the second only.

    Raises:
        ConfigurationError: two names that differ in case only.
    """
    faults = _collisions(values, "param")
    if faults:
        raise ConfigurationError(faults)
    sent: dict[str, str] = {}
    kept: dict[str, Any] = {}
    for name, value in redact_values(values).items():
        text = value_text(value)
        if len(text) > LONGEST_PARAM or not legal(name):
            kept[name] = value
        if legal(name):
            sent[name] = text if len(text) <= LONGEST_PARAM else _stand_in(text)
    return sent, kept


def value_text(value: Any) -> str:
    """Return a param's value as params.yaml would write it: null, true, 0.0001, [1, 2], and text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def tag_values(values: Mapping[str, Any]) -> dict[str, str]:
    """Return tags as text, without secrets, cut at MLflow's limit with a mark that says so."""
    texts = redact_texts({name: str(value) for name, value in values.items()})
    return {name: text if len(text) <= LONGEST_TAG else f"{text[: LONGEST_TAG - 1]}…" for name, text in texts.items()}


def _rule() -> str:
    return (
        f"is not a name that every MLflow store keeps as it is: letters, digits and _ - . : / space, "
        f"at most {LONGEST_NAME} characters, no path tricks"
    )


def _collisions(values: Mapping[str, Any], what: str) -> list[Fault]:
    first: dict[str, str] = {}
    faults = []
    for name in values:
        other = first.setdefault(name.casefold(), name)
        if other != name:
            faults.append(Fault(f"{what} '{name}'", f"differs from '{other}' in case only; a store may merge them"))
    return faults


def _stand_in(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()} ({len(text)} characters, whole in params.json)"
