"""Take secrets out of text before it is written, sent or shown."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

MASK = "***"
SHORTEST = 6
"""A value from the environment shorter than this is no secret worth masking: it would blank ordinary words."""

_NAME = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|(?:api|access|private)_?key|credentials?|auth|signature|sig)"
_TO_AT = r"[^\s/@:?#'\"]"
SECRET_NAME = re.compile(rf"(?:^|[_\-.]){_NAME}(?:$|[_\-.])", re.IGNORECASE)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<before>[a-z][a-z0-9+.\-]*://{_TO_AT}*:)(?P<secret>[^\s/?#'\"]*)(?P<after>@)",  # user:password@host
        rf"(?P<before>https?://)(?P<secret>{_TO_AT}{{16,}})(?P<after>@)",  # token@host
        rf"(?P<before>[?&;](?:[\w\-]*[_\-])?{_NAME}=)(?P<secret>[^&\s'\"#]+)(?P<after>)",  # presigned URLs
        r"(?P<before>\b(?:bearer|basic)\s+)(?P<secret>(?=\S*[0-9=_])[a-z0-9._~+/=\-]{8,})(?P<after>)",
        r"(?P<before>\b)(?P<secret>(?:AKIA|ASIA)[A-Z0-9]{16})(?P<after>\b)",
        rf"(?P<before>\b(?:\w+[_\-])?{_NAME}[\"']?\s*[=:]\s*[\"']?)(?P<secret>[^\s\"',;&}}]{{4,}})(?P<after>)",
    )
)


def redact(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the text with passwords in URLs, tokens, keys and the values of secret environment variables masked."""
    return _masked(text, _secrets(os.environ if environment is None else environment))


def redact_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping whose secret-named entries and secret-looking texts are masked."""
    return _masked_values(values, _secrets(os.environ))


def redact_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """Return a mapping of texts, each as `redact` returns it, whatever their names are."""
    secrets = _secrets(os.environ)
    return {name: _masked(text, secrets) for name, text in texts.items()}


def _masked(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<before>{MASK}\g<after>", text)
    return text


def _masked_values(values: Mapping[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    return {key: MASK if _is_secret(key, value) else _redacted(value, secrets) for key, value in values.items()}


def _redacted(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, str):
        return _masked(value, secrets)
    if isinstance(value, Mapping):
        return _masked_values(value, secrets)
    return [_redacted(item, secrets) for item in value] if isinstance(value, list | tuple) else value


def _is_secret(key: str, value: Any) -> bool:
    return isinstance(value, str) and bool(value) and bool(SECRET_NAME.search(key))


def _secrets(environment: Mapping[str, str]) -> list[str]:
    """Return the values of secret-named variables, also as a URL would spell them, longest first."""
    values = {value for name, value in environment.items() if SECRET_NAME.search(name) and _telling(value)}
    return sorted(values | {quote(value, safe="") for value in values}, key=len, reverse=True)


def _telling(value: str) -> bool:
    """A path or a plain number is not a secret, though its variable's name may sound like one."""
    return len(value) >= SHORTEST and not value.startswith("/") and not value.isdigit()
