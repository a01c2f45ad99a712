"""From the workspace's reports to metrics: the same names whether a stage records them or `record` does it later."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from goodfit.tracking.names import legal

STUDIES = ("ablation", "learning_curve")
"""What is not of the test rows, among the findings: it has metrics under its own name."""
_NOT_METRICS = ("number", "epoch", "seconds")
_TRAINING = ("training_", "parameters")


def evaluation_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics of `metrics.json`: <split>/<metric>, its bounds, generalization_gap/<metric>, figures."""
    metrics: dict[str, float | None] = {}
    for split in ("train", "valid", "test"):
        for name, figure in report.get(split, {}).items():
            metrics |= {f"{split}/{name}{end}": figure.get(key) for key, end in _BOUNDS.items()}
    metrics |= {f"generalization_gap/{name}": gap for name, gap in report.get("generalization_gap", {}).items()}
    for kind, figures in report.get("inspections", {}).items():
        place = kind if kind in STUDIES else "test"
        metrics |= {f"{place}/{name}": value for name, value in figures.items() if legal(f"{place}/{name}")}
    return {name: value for name, value in metrics.items() if value is not None and math.isfinite(value)}


def cost_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics that `reports/cost.json` stands for, without those that the training has recorded itself."""
    figures = {f"cost/{name}": value for name, value in report.items() if not name.startswith(_TRAINING)}
    return {name: float(value) for name, value in figures.items() if math.isfinite(value)}


def shown_tables() -> dict[str, str]:
    """Return the tag by which MLflow's interface finds an evaluation's tables, and shows those of runs side by side."""
    paths = [f"reports/evaluation/table_{name}.json" for name in ("metrics", "baselines")]
    return {"mlflow.loggedArtifacts": json.dumps([{"path": path, "type": "table"} for path in paths])}


def curves(path: Path) -> Iterator[tuple[int, int, dict[str, float]]]:
    """Yield trial number (0 where there is no such column), epoch and metrics of each row of a table of curves."""
    for row in rows(path):
        metrics = {name: number(text) for name, text in row.items() if name not in _NOT_METRICS}
        found = {name: value for name, value in metrics.items() if value is not None}
        yield int(row.get("number") or 0), int(row["epoch"]), found


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file by column; none when it is not there."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def number(text: str | None) -> float | None:
    """Return a cell's finite number, None for an empty one or text."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


_BOUNDS = {"value": "", "low": "_low", "high": "_high"}
