"""The tables behind the plots, as CSV under reports/evaluation/, for `dvc plots` and for the report."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from goodfit.data import Schema
from goodfit.files import replacing

MAX_POINTS = 500
MAX_ROWS = 10_000
"""Tables with one line per row hold at most that many, evenly spaced; counts in the report are of all rows."""
BINS = 10
COLUMNS = {
    "roc": ("false_positive_rate", "true_positive_rate"),
    "calibration": ("predicted", "observed", "rows"),
    "confusion": ("actual", "predicted"),
    "predicted_vs_actual": ("actual", "predicted", "residual"),
    "explanations_importance": ("column", "loss", "low", "high"),
}
"""Every table's columns, by file stem."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")


def plot_tables(
    schema: Schema, target: NDArray[Any], prediction: NDArray[np.float64], classes: NDArray[np.int64] | None
) -> dict[str, pd.DataFrame]:
    """Return file stem to table.

    Args:
        schema: names the classes.
        target: class indices or values, [n].
        prediction: probabilities [n, k] or values [n].
        classes: the decided class of each row [n]; None for regression.
    """
    if classes is None:
        frame = pd.DataFrame({"actual": target, "predicted": prediction, "residual": target - prediction})
        return {"predicted_vs_actual": _thinned(frame, MAX_ROWS)}
    names = np.array(schema.classes, dtype=object)
    tables = {
        "confusion": _thinned(pd.DataFrame({"actual": names[target], "predicted": names[classes]}), MAX_ROWS),
        "calibration": _calibration(target, prediction),
    }
    if prediction.shape[1] == 2 and 0 < target.sum() < len(target):
        tables["roc"] = _roc(target, prediction[:, 1])
    return tables


def confusion_counts(target: NDArray[Any], classes: NDArray[np.int64], count: int) -> list[list[int]]:
    """Return rows by actual class and predicted class, [k][k]."""
    cells = np.bincount(target * count + classes, minlength=count * count)
    return [[int(rows) for rows in line] for line in cells.reshape(count, count)]


def write_plots(folder: Path, tables: Mapping[str, pd.DataFrame]) -> list[Path]:
    """Write every table as `<stem>.csv`, those that the task has no use for with their heading alone.

    `dvc plots` complains about a file that is not there.
    """
    paths = []
    for stem, columns in COLUMNS.items():
        write_table(folder / f"{stem}.csv", tables.get(stem, pd.DataFrame(columns=list(columns))))
        paths.append(folder / f"{stem}.csv")
    return paths


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV; text that a spreadsheet would run gets a leading apostrophe."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([_cell(str(name)) for name in table.columns])
        writer.writerows([_cell(value) for value in row] for row in table.itertuples(index=False, name=None))


def _roc(target: NDArray[Any], score: NDArray[np.float64]) -> pd.DataFrame:
    misses, hits, _ = roc_curve(target, score)
    return _thinned(pd.DataFrame({"false_positive_rate": misses, "true_positive_rate": hits}), MAX_POINTS)


def _calibration(target: NDArray[Any], prediction: NDArray[np.float64]) -> pd.DataFrame:
    """Return ten bins of equally many rows: mean probability beside the share that came true.

    Of the positive class if there are two, else of the most probable class.
    """
    binary = prediction.shape[1] == 2
    said = prediction[:, 1] if binary else prediction.max(axis=1)
    true = target == 1 if binary else target == prediction.argmax(axis=1)
    bins = [rows for rows in np.array_split(np.argsort(said, kind="stable"), BINS) if len(rows)]
    lines = [(said[rows].mean(), true[rows].mean(), len(rows)) for rows in bins]
    return pd.DataFrame(lines, columns=list(COLUMNS["calibration"]))


def _thinned(table: pd.DataFrame, limit: int) -> pd.DataFrame:
    if len(table) <= limit:
        return table
    return table.iloc[np.linspace(0, len(table) - 1, limit).round().astype(np.int64)].reset_index(drop=True)


def _cell(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(FORMULA_STARTS) or _is_number(value):
        return value
    return f"'{value}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
