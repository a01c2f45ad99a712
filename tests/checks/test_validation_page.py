"""The page shows what the data hold without letting them act."""

from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from goodfit.checks import Expectation, ValidateSection, catalog, judge
from goodfit.checks.engine import _configured, _validator
from goodfit.checks.page import render
from goodfit.data import SchemaSection

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<a href=javascript:alert(1)>x</a>",
    "</td></table><svg onload=alert(1)>",
    "\x1b]0;owned\x07",
    "<meta http-equiv=refresh content=0;url=//evil>",
]


class Dom(HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def page_of(payload: str) -> str:
    name = f"column {payload}"
    frame = pd.DataFrame({name: [payload, "b"] * 5, "y": [0, 1] * 5})
    rules = (
        Expectation("expect_column_values_to_be_in_set", {"column": name, "value_set": ["b"]}, notes=payload),
        Expectation("expect_column_values_to_match_regex", {"column": name, "regex": f"[{payload}"}),
        Expectation("expect_column_values_to_be_in_set", {"column": payload, "value_set": [payload]}),
    )
    return render(judge(frame, rules, SchemaSection(target="y"), ValidateSection(suite="x")))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_data_cannot_act_in_the_page(payload: str) -> None:
    dom = Dom()
    page = page_of(payload)
    dom.feed(page)
    assert (
        {"table", "td"}
        <= dom.tags
        <= {
            *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "span", "small", "br"),
            *("table", "thead", "tbody", "tr", "th", "td"),
        }
    )
    assert dom.attributes <= {"lang", "charset", "content", "http-equiv", "class"}
    assert "default-src 'none'" in page and payload not in page
    assert "alert(1)" in page or payload.startswith(("\x1b", "<meta"))


def test_the_librarys_own_page_lets_them() -> None:
    """The trap: its Data Docs put values into the page unescaped and fetch scripts from other hosts."""
    frame = pd.DataFrame({"a": [PAYLOADS[1], "b"]})
    rule = Expectation("expect_column_values_to_be_in_set", {"column": "a", "value_set": ["b"]})
    with catalog.hushed():
        html = _data_docs(_validator(frame), _configured(rule, dict(rule.arguments), 0))
    assert PAYLOADS[1] in html and 'src="https://' in html


def _data_docs(validator: Any, configuration: Any) -> str:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    settings = {"result_format": {"result_format": "SUMMARY"}}
    results = validator.graph_validate([configuration], settings)
    meta = {
        "batch_spec": {},
        "batch_markers": {},
        "active_batch_definition": {},
        "great_expectations_version": "1",
        "run_id": {"run_name": "r", "run_time": "2024-01-01T00:00:00+00:00"},
    }
    whole = ExpectationSuiteValidationResult(
        success=False, results=results, suite_name="s", statistics={}, meta=meta, suite_parameters={}
    )
    return str(DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(whole)))
