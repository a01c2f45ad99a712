"""A column that holds one value in every row says nothing; a target that does leaves nothing to learn."""

from collections.abc import Iterator

import pandas as pd

from goodfit.checks.engine import Outcome
from goodfit.checks.expectation import Expectation, Severity
from goodfit.checks.views import Mask
from goodfit.data import SchemaSection

RULE = "column_varies"
HEAD = 10_000
"""Rows looked at first: in nearly every table they settle the question."""


def constant_columns(frame: pd.DataFrame, schema: SchemaSection, kept: Mask | None = None) -> Iterator[Outcome]:
    """Yield an outcome per column that is used: a constant feature is a warning, a constant target is critical."""
    for name in frame.columns:
        if name in schema.ignore or len(frame) < 2:
            continue
        severity: Severity = "critical" if name == schema.target else "warning"
        rule = Expectation(RULE, {"column": name}, severity, implied=True)
        values = frame[name] if kept is None else frame[name][kept]
        constant = _is_constant(values.head(HEAD)) and _is_constant(values)
        yield Outcome(rule, not constant, f"every row holds {values.iloc[0]!r}" if constant else None)


def _is_constant(values: pd.Series) -> bool:
    present = values.dropna()
    return 0 < len(present) == len(values) and bool((present == present.iloc[0]).all())
