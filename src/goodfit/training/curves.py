"""Metrics by epoch as a CSV that DVC draws."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from goodfit.files import write_text


def write_curves(path: Path, rows: Sequence[Mapping[str, float]], first: Sequence[str]) -> None:
    """Write one row per epoch, atomically: the columns `first`, then every metric that occurs, sorted.

    Args:
        path: of the CSV.
        rows: name to value; a metric that an epoch lacks is left empty.
        first: the columns that number the rows, such as epoch.
    """
    metrics = sorted({name for row in rows for name in row} - set(first))
    text = io.StringIO()
    writer = csv.DictWriter(text, [*first, *metrics], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
