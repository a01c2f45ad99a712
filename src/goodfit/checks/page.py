"""The validation report for a reader: one static page, without scripts, without a request, without a clock.

Great Expectations' own Data Docs put values from the data into the page unescaped, load scripts and styles from eight
hosts, and hold times and random ids; so the page is rendered here from the same results.
"""

from collections.abc import Iterable
from html import escape
from typing import Any

from goodfit.checks.engine import Outcome
from goodfit.checks.expectation import SEVERITIES
from goodfit.checks.verdict import Verdict
from goodfit.errors import printable

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.3rem .6rem;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}.failed{color:#a00}.passed{color:#060}"
    "small{color:#666}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
HEADINGS = ("", "severity", "column", "expectation", "arguments", "observed", "unexpected rows")


def render(verdict: Verdict) -> str:
    """Return the page as HTML; equal verdicts give equal bytes."""
    word = "passed" if verdict.success else "failed"
    lead = (
        f"{verdict.rows:,} rows, {len(verdict.outcomes)} expectations, {len(verdict.failed)} failed, "
        f"{len(verdict.quarantined):,} rows in quarantine."
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Validation {word}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{STYLE}</style></head>\n'
        f'<body><h1>Validation <span class="{word}">{word}</span></h1><p>{lead}</p>\n'
        f"{_table('Failed', verdict.failed)}{_table('Passed', (o for o in verdict.outcomes if o.success))}"
        "<p><small>An implied expectation was written by nobody: it makes sure that a rule about values is not passed "
        "by a column without values or a table without rows.</small></p></body></html>\n"
    )


def _table(title: str, outcomes: Iterable[Outcome]) -> str:
    ordered = sorted(outcomes, key=lambda outcome: SEVERITIES.index(outcome.expectation.severity))
    if not ordered:
        return ""
    heads = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
    rows = "\n".join(_row(outcome) for outcome in ordered)
    return f"<h2>{title}</h2><table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table>\n"


def _row(outcome: Outcome) -> str:
    expectation = outcome.expectation
    word = "passed" if outcome.success else "failed"
    rule = {k: v for k, v in expectation.arguments.items() if not k.startswith("column") or k == "column_set"}
    name = _text(expectation.name) + (" <small>(implied)</small>" if expectation.implied else "")
    notes = f"<br><small>{_text(expectation.notes)}</small>" if expectation.notes else ""
    cells = [
        f'<span class="{word}">{word}</span>',
        expectation.severity,
        _text(", ".join(expectation.columns)),
        name + notes,
        "<br>".join(f"{key}: {_text(value)}" for key, value in rule.items()),
        _text(outcome.observed),
        _text(outcome.unexpected),
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return "" if value is None else escape(printable(str(value)))
