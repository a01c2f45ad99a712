"""Write one value as YAML on one line.

ruamel's writer does not read back every text it writes in this style (U+0085, a leading `?`), and column names and
categories are other people's text.
"""

import json
import re
from typing import Any

PLAIN = re.compile(r"[A-Za-z][\w()/-]*( [\w()/-]+)*", re.ASCII)
WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
"""Words that a reader of YAML, or an older parser, may take for something else than text."""


def flow(value: Any) -> str:
    """Return a mapping, list, number, truth value or text in YAML's flow style; every YAML 1.2 reader gives it back."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{flow(key)}: {flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    if PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in json.dumps(value, ensure_ascii=False))
