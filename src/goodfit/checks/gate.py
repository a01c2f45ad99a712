"""Validate the raw table: judge it, write the reports, and only then say no."""

import math
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from goodfit.checks.constants import constant_columns
from goodfit.checks.engine import Outcome, evaluate
from goodfit.checks.expectation import Expectation
from goodfit.checks.page import render
from goodfit.checks.partners import with_partners
from goodfit.checks.schema_fit import schema_fault
from goodfit.checks.section import ValidateSection
from goodfit.checks.verdict import Verdict, sentence
from goodfit.data import SchemaSection
from goodfit.data.quarantine import write_quarantine
from goodfit.errors import DataError, Fault, GateError
from goodfit.files import remove, write_json, write_text
from goodfit.stage import failpoint

REPORT = Path("reports/validation.json")
PAGE = Path("reports/validation/index.html")
QUARANTINE = Path("data/quarantine.parquet")
KEPT_REPORT = Path(".goodfit/reports/validation-failed.json")
KEPT_PAGE = Path(".goodfit/reports/validation-failed.html")


def validate(
    frame: pd.DataFrame,
    suite: tuple[Expectation, ...],
    schema: SchemaSection,
    section: ValidateSection,
    root: Path,
    *,
    on_failure: Callable[[Verdict], None] | None = None,
) -> Verdict:
    """Judge a table by a suite and write the reports and the quarantine file below `root`.

    Args:
        frame: the raw table.
        suite: the expectations as written; their partners are added here.
        schema: what params.yaml says of the columns; it must fit the table.
        section: what a critical failure means.
        root: the workspace.
        on_failure: told of a verdict that stops the graph, after it is written and before the error is raised.

    Raises:
        ConfigurationError: the schema section does not fit the table.
        DataError: the table cannot be learnt from (no rows, repeated column names, an empty or constant target).
        GateError: a critical expectation failed, or too many rows would be set aside.
    """
    fault = schema_fault(frame, schema)
    verdict = judge(frame, suite, schema, section, fault)
    failpoint("validate.judged")  # K03: judged, nothing written
    _write(verdict, frame, root)
    failpoint("validate.written")  # K04: the reports are there, the stage is not finished
    if not verdict.success:
        if on_failure:
            on_failure(verdict)
        raise fault or GateError(_message(verdict, section))
    return verdict


def judge(
    frame: pd.DataFrame,
    suite: tuple[Expectation, ...],
    schema: SchemaSection,
    section: ValidateSection,
    fault: DataError | None = None,
) -> Verdict:
    """Return the verdict on a table; nothing is written."""
    whole = with_partners(suite)
    limit = math.floor(section.max_quarantine * len(frame) + 1e-9) if section.on_failure == "quarantine" else -1
    outcomes = (*_schema_outcomes(fault, schema), *evaluate(frame, whole, limit), *constant_columns(frame, schema))
    failures = tuple(outcome for outcome in outcomes if _critical_failure(outcome))
    too_many = any(outcome.unexpected is not None and outcome.rows is None for outcome in failures)
    removable = {} if fault or too_many else _removable(failures)
    if not removable or len(removable) > limit:
        return Verdict(len(frame), outcomes, failures)
    kept = np.ones(len(frame), dtype=bool)
    kept[list(removable)] = False
    again = (*evaluate(frame, whole, kept=kept), *constant_columns(frame, schema, kept))
    standing = tuple(outcome for outcome in again if _critical_failure(outcome))
    return Verdict(len(frame), outcomes, standing, () if standing else tuple(sorted(removable.items())))


def _schema_outcomes(fault: DataError | None, schema: SchemaSection) -> list[Outcome]:
    rule = Expectation("schema", {"column": schema.target}, notes="the target can be learnt", implied=True)
    return [Outcome(rule, fault is None, None if fault is None else str(fault))]


def _critical_failure(outcome: Outcome) -> bool:
    return not outcome.success and outcome.expectation.severity == "critical"


def _removable(failures: Iterable[Outcome]) -> dict[int, str]:
    """Return the rows whose removal could heal the failures, and why each goes."""
    reasons: dict[int, list[str]] = {}
    for outcome in failures:
        if outcome.rows is not None:
            reason = f"{outcome.expectation.name}({', '.join(outcome.expectation.columns)})"
            for row in outcome.rows.tolist():
                reasons.setdefault(row, []).append(reason)
    return {row: "; ".join(texts) for row, texts in reasons.items()}


def _write(verdict: Verdict, frame: pd.DataFrame, root: Path) -> None:
    positions = [row for row, _ in verdict.quarantined]
    write_quarantine(root / QUARANTINE, frame, positions, [reason for _, reason in verdict.quarantined])
    remove(root / PAGE.parent)
    write_text(root / PAGE, render(verdict))
    write_json(root / REPORT, verdict.to_dict())
    for written, kept in ((REPORT, KEPT_REPORT), (PAGE, KEPT_PAGE)):
        remove(root / kept)
        if not verdict.success:  # DVC deletes a failed stage's outputs before its next run
            (root / kept).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / written, root / kept)


def _message(verdict: Verdict, section: ValidateSection) -> list[Fault]:
    place = f"validation by {section.suite}"
    rules = [sentence(outcome) for outcome in verdict.standing]
    if section.on_failure == "quarantine":
        limit = f"validate.max_quarantine ({section.max_quarantine:.2%} of the rows)"
        rules.append(f"quarantine cannot help: the failures are not about single rows, or about more than {limit}")
    way_out = f"Mend the data, or the rule if it is wrong. The report is kept: {KEPT_PAGE}, {KEPT_REPORT}."
    return [*(Fault(place, rule) for rule in rules[:-1]), Fault(place, rules[-1], None, way_out)]
