"""What was fitted on valid rows to turn scores into answers, as the bundle keeps it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ThresholdRule:
    """How the decision threshold was chosen.

    Args:
        kind: of the rule: fixed, metric, cost, precision, recall.
        options: its settings.
        value: its figure (metric, mean cost, precision or recall) on the valid rows; None for a fixed threshold.
        reached: whether what was asked for could be had on the valid rows.
        rows: number of valid rows.
    """

    kind: str
    options: Mapping[str, float | str]
    value: float | None
    reached: bool
    rows: int

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return {**asdict(self), "options": dict(self.options)}


@dataclass(frozen=True)
class PredictionInterval:
    """How far values lie from their predictions, by the size of the prediction.

    Args:
        coverage: share of new rows that an interval shall hold.
        edges: rising predictions [b - 1] at which the next bin begins, in target units.
        half_widths: of the b bins, in target units.
    """

    coverage: float
    edges: tuple[float, ...]
    half_widths: tuple[float, ...]

    def around(self, prediction: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lower and upper ends [n] for predictions [n]."""
        half = np.asarray(self.half_widths)[np.searchsorted(np.asarray(self.edges), prediction, side="right")]
        return prediction - half, prediction + half

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return {"coverage": self.coverage, "edges": list(self.edges), "half_widths": list(self.half_widths)}
