"""Run expectations through Great Expectations, one group of columns at a time, so that memory stays one column's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from goodfit.checks import catalog
from goodfit.checks.arguments import arguments_for
from goodfit.checks.expectation import Expectation
from goodfit.checks.views import Mask, View, readable, shaped, view_of
from goodfit.errors import suggestion

SAMPLES = 5
"""Offending values kept for the report, per expectation."""

NUMBER = "goodfit.number"
Group = tuple[tuple[str, ...], View]


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation.

    Attributes:
        observed: some of the offending values, or the statistic, or why it cannot be judged; JSON-able.
        unexpected: number of rows that break the rule; None for a rule that is not about single rows.
        rows: positions of the offending rows, only where they were asked for.
    """

    expectation: Expectation
    success: bool
    observed: Any = None
    unexpected: int | None = None
    rows: "np.ndarray[Any, np.dtype[np.int64]] | None" = None


def evaluate(
    frame: pd.DataFrame, suite: Sequence[Expectation], rows_up_to: int = -1, kept: Mask | None = None
) -> list[Outcome]:
    """Judge every expectation, in the order of the suite.

    An expectation that cannot be judged (its column is missing, or it ends in an exception) counts as failed.

    Args:
        frame: all rows.
        suite: what to expect, partners included.
        rows_up_to: find the offending rows of a failed row-level expectation when they are at most this many.
        kept: judge only the rows where this mask of shape (rows,) is true.
    """
    groups: dict[Group, list[int]] = {}
    for number, expectation in enumerate(suite):
        groups.setdefault((expectation.columns, view_of(expectation)), []).append(number)
    outcomes: dict[int, Outcome] = {}
    with catalog.hushed():
        for (columns, view), numbers in groups.items():
            batch = {number: suite[number] for number in numbers}
            outcomes |= _missing(frame, columns, batch) or _judge(frame, columns, view, batch, rows_up_to, kept)
    return [outcomes[number] for number in range(len(suite))]


def _missing(frame: pd.DataFrame, columns: Iterable[str], batch: dict[int, Expectation]) -> dict[int, Outcome]:
    reasons = [f"the data have no column '{name}'{_hint(name, frame)}" for name in columns if name not in frame]
    reasons += [f"the data have several columns '{name}'" for name in columns if list(frame.columns).count(name) > 1]
    return {n: Outcome(e, False, "; ".join(reasons)) for n, e in batch.items()} if reasons else {}


def _hint(name: str, frame: pd.DataFrame) -> str:
    """Return the column that is meant, in brackets; nothing where none has a similar name."""
    hint = suggestion(name, map(str, frame.columns)).split("Known:")[0].strip()
    return f" (did{hint.removeprefix('Did')})" if hint else ""


def _judge(
    frame: pd.DataFrame,
    columns: tuple[str, ...],
    view: View,
    batch: dict[int, Expectation],
    rows_up_to: int,
    kept: Mask | None,
) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {}
    ready: dict[int, Any] = {}
    for number, expectation in batch.items():
        try:
            ready[number] = _configured(expectation, arguments_for(expectation, frame), number)
        except Exception as error:  # Great Expectations' own checks share no base class
            outcomes[number] = Outcome(expectation, False, f"cannot be judged: {error}")
    if not ready:
        return outcomes
    validator = _validator(shaped(frame, columns, view, kept))
    settings = {"result_format": {"result_format": "BASIC", "partial_unexpected_count": SAMPLES}}
    results = validator.graph_validate(configurations=list(ready.values()), runtime_configuration=settings)
    for result in results:
        number = result.expectation_config.meta[NUMBER]
        outcome = _outcome(batch[number], result, frame)
        if 0 < (outcome.unexpected or 0) <= rows_up_to and not outcome.success:
            outcome = _with_rows(outcome, validator, ready[number])
        outcomes[number] = outcome
    return outcomes


def _configured(expectation: Expectation, arguments: dict[str, Any], number: int) -> Any:
    built = catalog.expectations()[expectation.name](**arguments, meta={NUMBER: number})
    return built.configuration


def _validator(frame: pd.DataFrame) -> Any:
    catalog.library()
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.validator.validator import Validator

    return Validator(PandasExecutionEngine(batch_data_dict={"rows": frame}), data_context=_context())


@cache
def _context() -> Any:
    """Return a context that lives in memory only, sends nothing and draws no progress bars."""
    context = catalog.library().get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = {"globally": False}
    return context


def _outcome(expectation: Expectation, result: Any, frame: pd.DataFrame) -> Outcome:
    if (reason := _exception(result.exception_info)) is not None:
        return Outcome(expectation, False, f"cannot be judged: {reason}")
    found = result.result or {}
    unexpected = found.get("unexpected_count")
    observed = readable(found.get("observed_value", found.get("partial_unexpected_list")), expectation, frame)
    if isinstance(observed, list) and all(value is None for value in observed):
        observed = None  # nothing unexpected, or missing values, of which the count says all
    return Outcome(expectation, bool(result.success), observed, unexpected)


def _exception(info: Any) -> str | None:
    """Return the message of the exception an expectation ended in; the library has two shapes for it."""
    entries = [info] if "raised_exception" in (info or {}) else list((info or {}).values())
    raised = [entry for entry in entries if isinstance(entry, dict) and entry.get("raised_exception")]
    return str(raised[0].get("exception_message")) if raised else None


def _with_rows(outcome: Outcome, validator: Any, configuration: Any) -> Outcome:
    """Add the offending rows, from the condition itself: the library's own list comes with a text of all of them."""
    from great_expectations.expectations.registry import get_metric_kwargs
    from great_expectations.validator.metric_configuration import MetricConfiguration

    if not catalog.is_row_level(outcome.expectation.name):
        return outcome
    name = f"{catalog.expectations()[outcome.expectation.name].map_metric}.condition"
    keywords = get_metric_kwargs(metric_name=name, configuration=configuration)
    metric = MetricConfiguration(name, keywords["metric_domain_kwargs"], keywords["metric_value_kwargs"])
    condition = validator.metrics_calculator.get_metric(metric)[0]
    rows = condition.index[condition.to_numpy(dtype=bool)].to_numpy(dtype=np.int64)
    if len(rows) != outcome.unexpected:
        raise RuntimeError(f"{name} counts {outcome.unexpected} rows and names {len(rows)}")
    return replace(outcome, rows=rows)
