"""The project's expectation suite, as far as it can judge rows that come alone: without target, without the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from goodfit.checks import Expectation
from goodfit.checks.catalog import is_row_level
from goodfit.checks.engine import evaluate
from goodfit.checks.partners import with_partners
from goodfit.errors import DataError, Fault

ABOUT_OTHER_ROWS = ("unique", "increasing", "decreasing", "z_score", "outliers")
"""Words in the names of rules that judge a row by the rows around it, which a chunk does not hold."""


@dataclass(frozen=True)
class RowRules:
    """What a row must be.

    Args:
        critical: a row that breaks one is set aside.
        others: rows that break one are counted.
        left_out: how many rules of the suite do not speak of single rows with these columns.
    """

    critical: tuple[Expectation, ...] = ()
    others: tuple[Expectation, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class Judged:
    """What became of a chunk.

    Args:
        reasons: position of each row that is set aside to the rules it breaks.
        counts: rule to the number of rows that break it, others included.
    """

    reasons: Mapping[int, str]
    counts: Mapping[str, int]


def row_rules(suite: Sequence[Expectation], columns: Iterable[str]) -> RowRules:
    """Return the rules that can be asked of single rows.

    Left out are rules about the table, about other rows, about columns that are not there (the target, say), and about
    types, which the model's own say. A rule that lets some rows pass by (`mostly`) sets none aside.

    Args:
        suite: as it is written; the not-null rules that it implies are added.
        columns: that the rows have, with the type that the suite is about.
    """
    there = set(columns)
    whole = [expectation for expectation in with_partners(suite) if not expectation.name.startswith("expect_table_")]
    fit = [rule for rule in whole if rule.columns and set(rule.columns) <= there and _about_single_rows(rule)]
    critical = tuple(rule for rule in fit if rule.severity == "critical" and rule.arguments.get("mostly", 1) == 1)
    others = tuple(rule for rule in fit if rule not in critical)
    return RowRules(critical, others, len(suite) - sum(not rule.implied for rule in fit))


def _about_single_rows(rule: Expectation) -> bool:
    return is_row_level(rule.name) and not any(word in rule.name for word in ABOUT_OTHER_ROWS)


def judge_rows(frame: pd.DataFrame, rules: RowRules) -> Judged:
    """Judge the rows of a chunk, whose index runs from 0.

    Raises:
        DataError: a critical rule cannot be judged at all, such as one about numbers in a column of text.
    """
    reasons: dict[int, list[str]] = {}
    counts: dict[str, int] = {}
    for outcome in evaluate(frame, rules.critical + rules.others, len(frame)) if len(frame) else ():
        rule = outcome.expectation
        name = f"{rule.name}({', '.join(rule.columns)})"
        if outcome.success and not outcome.unexpected:
            continue
        if rule in rules.critical and outcome.rows is None:
            raise DataError([Fault(f"expectation {name}", f"cannot be judged on these rows: {outcome.observed}")])
        counts[name] = counts.get(name, 0) + (outcome.unexpected or 0)
        for row in outcome.rows.tolist() if rule in rules.critical and outcome.rows is not None else ():
            reasons.setdefault(row, []).append(name)
    return Judged({row: "; ".join(dict.fromkeys(texts)) for row, texts in reasons.items()}, counts)


def positions(reasons: Mapping[int, str], count: int) -> np.ndarray:
    """Return [count]: true for the rows that are set aside."""
    mask = np.zeros(count, dtype=bool)
    mask[list(reasons)] = True
    return mask
