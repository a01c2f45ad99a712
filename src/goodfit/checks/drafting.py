"""Propose an expectation suite from a table: a start to be read and tightened by someone who knows the data.

The draft passes on the table it was drafted from. Types, keys, complete columns and sets of categories are critical;
ranges and lengths, which new rows may rightly leave, are warnings with a margin; the target's are critical.
"""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from goodfit.checks.flow import flow
from goodfit.checks.margins import date_range, number_range, share_below
from goodfit.checks.schema_fit import schema_fault
from goodfit.checks.views import canonical_type, magnitudes, plain_values
from goodfit.data import SchemaSection
from goodfit.errors import DataError, Fault, printable

MAX_SET = 20
"""Most distinct values that are listed as a set."""

MAX_ROWS_COMPARED = 200_000
"""Most rows among which whole-row duplicates are looked for."""

MAX_COLUMNS = 300
"""Most features that get rules of their own: nobody reads more, and each rule costs Great Expectations milliseconds."""

Rule = dict[str, Any]


def draft(frame: pd.DataFrame, section: SchemaSection | None = None) -> dict[str, Any]:
    """Return a suite, as `parse_suite` reads it, that the table passes.

    Args:
        frame: the table to draft from.
        section: the `schema` section, if there is one: its target, keys and ignored columns are treated as such.

    Raises:
        ConfigurationError: the section does not fit the table.
        DataError: there are no rows to draft from, or a column name occurs more than once.
    """
    return {"expectations": [rule for _, rules in _sections(frame, section) for rule in rules]}


def draft_text(frame: pd.DataFrame, section: SchemaSection | None = None) -> str:
    """Return the drafted suite as YAML, one rule per line, with a comment on each column."""
    lines = ["# Drafted by goodfit from the data: read it, tighten what you know, delete what you do not mean.", ""]
    lines += ["# severity: critical stops the graph; warning and info are reported.", "expectations:"]
    for comment, rules in _sections(frame, section):
        lines += ["", f"  # {printable(comment)}", *(f"  - {flow(rule)}" for rule in rules)]
    return "\n".join(lines) + "\n"


def _sections(frame: pd.DataFrame, section: SchemaSection | None) -> Iterator[tuple[str, list[Rule]]]:
    """Yield a comment and the rules for the table, then for each column."""
    if len(frame) == 0:
        raise DataError([Fault("the table", "has no rows to draft a suite from", None, "Ingest data first.")])
    if section:
        schema_fault(frame, section)  # a target that cannot be learnt is told by the gate
    yield f"the table: {len(frame):,} rows, {frame.shape[1]} columns", list(_table_rules(frame, section))
    names = columns_with_rules(frame, section)
    for name in names:
        yield _facts(name, frame[name]), list(_column_rules(frame[name], name, section))
    if left := frame.shape[1] - len(names) - len(section.ignore if section else ()):
        yield f"{left:,} more columns have no rules of their own: copy what you need from those above.", []


def columns_with_rules(frame: pd.DataFrame, section: SchemaSection | None) -> list[str]:
    """Return the columns that get rules of their own: the first `MAX_COLUMNS`, and those that have a role."""
    roles = _roles(section) if section else set()
    names = [name for name in map(str, frame.columns) if section is None or name not in section.ignore]
    features = [name for name in names if name not in roles][:MAX_COLUMNS]
    kept = roles.union(features)
    return [name for name in names if name in kept]


def _roles(section: SchemaSection) -> set[str]:
    return {name for name in (section.target, section.group, section.time, *section.id) if name is not None}


def _table_rules(frame: pd.DataFrame, section: SchemaSection | None) -> Iterator[Rule]:
    yield _rule("expect_table_row_count_to_be_between", "critical", min_value=math.ceil(len(frame) / 2))
    yield _rule("expect_table_columns_to_match_set", "critical", column_set=[str(name) for name in frame.columns])
    keys = section.id if section else []
    if len(keys) > 1 and bool(frame[keys].notna().all(axis=None)) and not frame.duplicated(keys).any():
        yield _rule("expect_compound_columns_to_be_unique", "critical", column_list=list(keys))
    left_out = {*keys, *(section.ignore if section else ())}
    compared = [name for name in frame.columns if name not in left_out and frame[name].notna().any()]
    if 1 < len(compared) <= MAX_COLUMNS and len(frame) <= MAX_ROWS_COMPARED:
        distinct = 1 - float(frame.duplicated(compared, keep=False).mean())
        if (share := share_below(min(distinct, 0.99))) > 0:
            yield _rule("expect_compound_columns_to_be_unique", "warning", column_list=compared, mostly=share)


def _column_rules(values: pd.Series, name: str, section: SchemaSection | None) -> Iterator[Rule]:
    if not values.notna().any():
        yield _rule("expect_column_values_to_be_null", "info", column=name)
        return
    yield _rule("expect_column_values_to_be_of_type", "critical", column=name, type_=canonical_type(values))
    yield _not_null(values, name)
    is_key = name in section.id if section else _looks_like_key(values)
    if is_key and not values.duplicated().any():
        yield _rule("expect_column_values_to_be_unique", "critical" if section else "warning", column=name)
    if not is_key:
        yield from _value_rules(values, name, section is not None and name == section.target)


def _not_null(values: pd.Series, name: str) -> Rule:
    share = float(values.notna().mean())
    if share == 1:
        return _rule("expect_column_values_to_not_be_null", "critical", column=name)
    if (mostly := share_below(share) or math.floor(share * 500) / 1000) > 0:
        return _rule("expect_column_values_to_not_be_null", "warning", column=name, mostly=mostly)
    name_of_rule = "expect_column_proportion_of_non_null_values_to_be_between"
    return _rule(name_of_rule, "warning", column=name, min_value=0, strict_min=True)


def _looks_like_key(values: pd.Series) -> bool:
    kind = canonical_type(values)
    return kind in ("int64", "str") and len(values) > MAX_SET and bool(values.notna().all()) and values.is_unique


def _value_rules(values: pd.Series, name: str, is_target: bool) -> Iterator[Rule]:
    kind = canonical_type(values)
    present = plain_values(values.dropna())
    if kind == "bool":
        yield _rule("expect_column_values_to_be_in_set", "critical", column=name, value_set=[False, True])
        return
    listed = _listed(present, kind, is_target)
    if listed:
        yield _rule("expect_column_values_to_be_in_set", "critical", column=name, value_set=listed)
        return
    graveness = "critical" if is_target else "warning"
    if kind == "str":
        bounds = number_range(*_extremes(present.str.len()), whole=True)
        yield _rule("expect_column_value_lengths_to_be_between", graveness, column=name, **bounds)
        return
    extremes = _extremes(magnitudes(present))
    bounds = date_range(*extremes) if kind == "datetime64" else number_range(*extremes, whole=kind == "int64")
    if bounds:
        yield _rule("expect_column_values_to_be_between", graveness, column=name, **bounds)


def _listed(present: pd.Series, kind: str, is_target: bool) -> list[Any]:
    """Return the distinct values where they are few enough to be categories: text, flags, classes."""
    most = {"str": MAX_SET, "int64": MAX_SET if is_target else 2}.get(kind, 0)
    if not most:
        return []
    distinct = present.unique().tolist()
    few = len(distinct) <= most and (len(distinct) < len(present) or len(distinct) <= 2)
    return sorted(distinct) if few else []


def _extremes(numbers: pd.Series) -> tuple[float, float]:
    return numbers.min().item(), numbers.max().item()


def _facts(name: str, values: pd.Series) -> str:
    present = values.notna().sum()
    if not present:
        return f"{name}: no value at all"
    missing = f", {len(values) - present:,} missing" if present < len(values) else ""
    span = ""
    if canonical_type(values) in ("int64", "float64", "datetime64"):
        span = f", {values.min()} to {values.max()}"
    return f"{name}: {canonical_type(values)}{span}{missing}"


def _rule(expectation: str, severity: str, **arguments: Any) -> Rule:
    return {"expectation": expectation, **arguments, "severity": severity}
