"""What the other stages have reported, for the page that shows everything."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goodfit.evaluation.card_section import CardSection
from goodfit.evaluation.gates import Outcome

CURVES = ("train/loss", "valid/loss")


@dataclass(frozen=True)
class Context:
    """What stands on the page beside the evaluation; whatever is empty is left out.

    Args:
        record: the content of run.json, with the settings under `params`.
        curves: train and valid loss to (epoch, value) pairs.
        split: the content of reports/split.json.
        validation: the content of reports/validation.json.
        trials: the rows of reports/trials.csv.
        cost: what `measure_cost` found.
        gates: what the gates said.
        card: the words of the model card.
    """

    record: Mapping[str, Any] = field(default_factory=dict)
    curves: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Any] = field(default_factory=dict)
    trials: Sequence[Mapping[str, str]] = ()
    cost: Mapping[str, float] = field(default_factory=dict)
    gates: Sequence[Outcome] = ()
    card: CardSection = field(default_factory=CardSection)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Dotted parameter to value, as resolved."""
        settings: Mapping[str, Any] = self.record.get("params", {})
        return settings

    @property
    def leaks(self) -> Sequence[Mapping[str, Any]]:
        """The leak checks of the split."""
        leaks: Sequence[Mapping[str, Any]] = self.split.get("leakage", ())
        return leaks


def read_context(
    root: Path, record: Mapping[str, Any], cost: Mapping[str, float], gates: Sequence[Outcome], card: CardSection
) -> Context:
    """Read the reports of the other stages; one that is not there, or torn, is left out."""
    reports = root / "reports"
    return Context(
        record,
        read_curves(reports / "training.csv"),
        _json(reports / "split.json"),
        _json(reports / "validation.json"),
        _rows(reports / "trials.csv"),
        cost,
        gates,
        card,
    )


def read_curves(path: Path) -> dict[str, list[tuple[float, float]]]:
    """Return train and valid loss by epoch from training.csv; nothing if it is not there."""
    rows = _rows(path)
    if not rows:
        return {}
    pairs = {name: [(float(row["epoch"]), float(row[name] or "nan")) for row in rows if name in row] for name in CURVES}
    return {name: [point for point in points if math.isfinite(point[1])] for name, points in pairs.items()}


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
