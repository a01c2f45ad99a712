"""What a version was asked over HTTP, as its rows again: so that a retrain can examine it for drift."""

import json
from collections import deque
from pathlib import Path
from typing import Any

import pandas as pd

from goodfit.bundle import Bundle
from goodfit.serving.bodies import frame_of
from goodfit.serving.parts import parts_in

MOST_ROWS = 20_000
"""The latest so many rows are looked at."""


def served_rows(folder: Path, bundle: Bundle, version: int) -> pd.DataFrame:
    """Return the latest rows that a version has answered, as the model takes them.

    Args:
        folder: of the record.
        bundle: the model that answered.
        version: its number.

    Raises:
        DataError: the record holds rows that the model could not have answered.
    """
    rows: deque[dict[str, Any]] = deque(maxlen=MOST_ROWS)
    for part in parts_in(folder):
        for line in part.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
                if entry["version"] == version and isinstance(entry["row"], dict):
                    rows.append(entry["row"])
            except (ValueError, KeyError, TypeError):
                continue  # half a line, of a process that was killed
    return frame_of(list(rows), bundle) if rows else pd.DataFrame()
