"""Live through the past: at the end of each period train on what there was, and score every later period."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types as kinds

from goodfit.bundle import Bundle
from goodfit.data import Table
from goodfit.errors import ConfigurationError, DataError, Fault
from goodfit.evaluation.targets import decided, predicted, target_values
from goodfit.metrics import METRICS
from goodfit.retraining.policies import Situation
from goodfit.training import FitSections, TrainingData, fit

FEWEST_ROWS = 20
VALID_SHARE = 5
"""One part in so many of what a model may train on, the latest, is its valid rows."""
Floats = NDArray[np.float64]
Watch = Callable[[Bundle, int, NDArray[np.int64]], Mapping[int, Situation]]
"""Given a model, the period before which it was trained, and the rows of before: later periods to what was known."""


@dataclass(frozen=True)
class Lived:
    """What was found.

    Args:
        metric: the one that counts.
        maximize: whether more of it is better.
        starts: of each period, as text.
        rows: of each period.
        first: the first period that was scored; everything before it was there from the beginning.
        scores: [periods, periods]: of the model trained before period i, on period j; NaN for j < i, and where the
            metric is not defined.
        seconds: [periods] that the training before each period took.
        situations: (period before which a model was trained, later period) to what a policy would have been told of it.
    """

    metric: str
    maximize: bool
    starts: tuple[str, ...]
    rows: tuple[int, ...]
    first: int
    scores: Floats
    seconds: Floats
    situations: Mapping[tuple[int, int], Situation] = field(default_factory=dict)


def periods_of(table: Table, count: int) -> NDArray[np.int64]:
    """Return [n]: the period of each row, of `count` equally long ones.

    Raises:
        ConfigurationError: the schema names no time.
        DataError: times are missing, or all the same.
    """
    names = table.schema.names("time")
    if not names:
        remedy = "Name the column that orders the rows."
        raise ConfigurationError([Fault("params.yaml: schema.time", "is needed to replay the past", None, remedy)])
    values = table.frame[names[0]]
    place = f"column '{names[0]}'"
    if values.isna().any():
        raise DataError([Fault(place, "has rows without a time", int(values.isna().sum()), "Leave them out.")])
    numbers = moments_of(table)
    low, high = float(numbers.min()), float(numbers.max())
    if low == high:
        raise DataError([Fault(place, "holds one moment only", None, "There is no past to replay.")])
    return np.minimum(((numbers - low) / (high - low) * count).astype(np.int64), count - 1)


def moments_of(table: Table) -> Floats:
    """Return [n]: when each row is from, dates as microseconds since the epoch."""
    values = table.frame[table.schema.names("time")[0]]
    if kinds.is_datetime64_any_dtype(values.dtype):
        values = pd.Series(pd.DatetimeIndex(values).as_unit("us").asi8)
    return values.to_numpy(dtype=np.float64)


def live_through(
    table: Table,
    sections: FitSections,
    metric: str,
    count: int,
    first: int,
    told: Callable[[int, int], None] = lambda done, whole: None,
    watch: Watch | None = None,
) -> Lived:
    """Train before each period from `first` on, and score every model on every later period.

    Nothing of a period is seen by a model that is scored on it: preprocessing, weights and the epoch that is kept come
    from the periods before.

    Args:
        table: every row, with a time.
        sections: the settings of a training; they are the same each time.
        metric: by name.
        count: periods.
        first: the first period that is scored.
        watch: asked of each model what a policy would have been told of it later on.
        told: told how many trainings are done, and of how many.

    Raises:
        ConfigurationError, DataError: see `periods_of`; or too few rows to begin with.
    """
    period = periods_of(table, count)
    order = np.argsort(table.frame[table.schema.names("time")[0]].to_numpy(), kind="stable")
    counts = np.bincount(period, minlength=count)
    if counts[:first].sum() < VALID_SHARE * FEWEST_ROWS:
        rule = f"the first {first} periods hold {int(counts[:first].sum())} rows, too few to train on"
        raise DataError([Fault("--periods", rule, count, "Take fewer periods, or wait for more rows.")])
    scores, seconds = np.full((count, count), np.nan), np.zeros(count)
    situations: dict[tuple[int, int], Situation] = {}
    for now in range(first, count):
        start = time.perf_counter()
        bundle = _trained(table, order[period[order] < now], sections)
        seconds[now] = time.perf_counter() - start
        for later in range(now, count):
            scores[now, later] = _score(bundle, table.take(period == later), metric)
        found = watch(bundle, now, order[period[order] < now]) if watch is not None else {}
        situations |= {(now, later): situation for later, situation in found.items()}
        told(now - first + 1, count - first)
    times = table.frame[table.schema.names("time")[0]]
    starts = tuple(str(times[period == number].min()) if counts[number] else "" for number in range(count))
    maximize = METRICS[metric].facts["direction"] == "maximize"
    return Lived(metric, maximize, starts, tuple(counts.tolist()), first, scores, seconds, situations)


def dealt(table: Table, past: NDArray[np.int64]) -> tuple[Table, Table]:
    """Return the train and the valid rows of a past [rows by time]: the latest are valid."""
    cut = len(past) - len(past) // VALID_SHARE
    train, valid = (
        Table(table.frame.take(rows).reset_index(drop=True), table.schema) for rows in (past[:cut], past[cut:])
    )
    return train, valid


def _trained(table: Table, past: NDArray[np.int64], sections: FitSections) -> Bundle:
    train, valid = dealt(table, past)
    data = TrainingData.of(train, valid, sections.training.preprocessing)
    fitted = fit(sections.recipe(table.schema), data, seed=sections.seed, state=None, progress=False)
    return Bundle(table.schema, data.preprocessor, sections.model, sections.regularization, fitted.model)


def _score(bundle: Bundle, rows: Table, metric: str) -> float:
    if len(rows) < FEWEST_ROWS:
        return float("nan")
    target, said = target_values(bundle, rows), predicted(bundle, rows, "period")
    if bundle.task != "regression" and len(np.unique(target)) < 2:
        return float("nan")
    needed = decided(said, bundle.threshold) if METRICS[metric].facts["needs"] == "classes" else said
    return float(METRICS[metric].cls().weighted(target, needed)(np.ones((len(rows), 1)))[0])
