"""How a model treats the groups of a protected attribute: figures per group, and the distance between groups.

Binary: selection rate (demographic parity), true and false positive rate (equalized odds: Hardt, Price & Srebro, 2016),
and the ratio of the lowest to the highest selection rate (the four-fifths rule asks for 0.8). Several classes:
accuracy. Regression: mean error and mean absolute error. Which of them matters is a question about the use, not
about the data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Task
from goodfit.evaluation.bootstrap import Resampling
from goodfit.metrics.base import FloatArray, ratio

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Rate:
    """A mean over some rows of a group: what is averaged [n], and over which rows [n]."""

    figure: FloatArray
    over: Mask


def parity_tables(
    groups: Mapping[str, Mask], rates: Mapping[str, Rate], resampling: Resampling
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rates per group, and the differences and ratios between groups, with intervals.

    Args:
        groups: name of a group to its rows [n].
        rates: what is compared.
        resampling: how the rows are drawn anew.
    """
    members = {(group, name): mask & rate.over for group, mask in groups.items() for name, rate in rates.items()}
    rows = {key: np.flatnonzero(mask) for key, mask in members.items()}
    figures = {key: _mean(rates[key[1]].figure, rows[key]) for key in members}
    ones = np.ones((resampling.rows, 1))
    values = {key: float(figure(ones)[0]) for key, figure in figures.items()}
    drawn = resampling.replicates(figures)
    per_group = [_line(group, int(mask.sum()), rates, values, drawn, resampling) for group, mask in groups.items()]
    between = [line for name in rates for line in _between(name, list(groups), values, drawn, resampling)]
    return pd.DataFrame(per_group), pd.DataFrame(between)


def rates_of(
    task: Task, target: NDArray[Any], prediction: FloatArray, classes: NDArray[np.int64] | None
) -> dict[str, Rate]:
    """Return what is compared between groups: of decided classes [n] for classification, of values for regression."""
    everyone = np.ones(len(target), dtype=bool)
    if classes is None or task == "regression":
        error = prediction - target
        return {"mean_error": Rate(error, everyone), "mean_absolute_error": Rate(np.abs(error), everyone)}
    hits = Rate((classes == target).astype(np.float64), everyone)
    if task == "multiclass":
        return {"accuracy": hits}
    chosen = (classes == 1).astype(np.float64)
    return {
        "selection_rate": Rate(chosen, everyone),
        "true_positive_rate": Rate(chosen, target == 1),
        "false_positive_rate": Rate(chosen, target == 0),
        "accuracy": hits,
    }


def _mean(figure: FloatArray, rows: NDArray[np.intp]) -> Any:
    def mean(weights: FloatArray) -> FloatArray:
        inside = weights[rows]
        return ratio(figure[rows] @ inside, inside.sum(axis=0))

    return mean


def _line(
    group: str, rows: int, rates: Mapping[str, Rate], values: Any, drawn: Any, resampling: Resampling
) -> dict[str, Any]:
    line: dict[str, Any] = {"group": group, "rows": rows}
    for name in rates:
        low, high = resampling.interval(drawn[group, name])
        line |= {name: values[group, name], f"{name}_low": low, f"{name}_high": high}
    return line


def _between(name: str, groups: list[str], values: Any, drawn: Any, resampling: Resampling) -> list[dict[str, Any]]:
    """Return the difference (highest minus lowest group) and the ratio (lowest by highest) of one rate.

    The two groups are those of the rows themselves, so that resampling does not add the spread of a maximum.
    """
    known = [group for group in groups if np.isfinite(values[group, name])]
    if len(known) < 2:
        return []
    lowest = min(known, key=lambda group: values[group, name])
    highest = max(known, key=lambda group: values[group, name])
    low, high = values[lowest, name], values[highest, name]
    pairs = [("difference", high - low, drawn[highest, name] - drawn[lowest, name])]
    if min(low, float(np.nanmin(drawn[lowest, name]))) >= 0 and high > 0:
        pairs.append(("ratio", low / high, ratio(drawn[lowest, name], drawn[highest, name])))
    lines = []
    for kind, value, replicates in pairs:
        bounds = resampling.interval(replicates)
        figures = {"value": value, "low": bounds[0], "high": bounds[1]}
        lines.append({"rate": name, "compared": kind, "highest": highest, "lowest": lowest, **figures})
    return lines
