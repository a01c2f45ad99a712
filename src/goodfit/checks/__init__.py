"""Is the raw table what it should be? Expectation suites, run by Great Expectations, and the gate they make.

This package is the only importer of great_expectations.
"""

from goodfit.checks.drafting import columns_with_rules, draft, draft_text
from goodfit.checks.expectation import Expectation
from goodfit.checks.gate import judge, validate
from goodfit.checks.section import ValidateSection
from goodfit.checks.suite import parse_suite, read_suite
from goodfit.checks.verdict import Verdict

__all__ = [
    "Expectation",
    "ValidateSection",
    "Verdict",
    "columns_with_rules",
    "draft",
    "draft_text",
    "judge",
    "parse_suite",
    "read_suite",
    "validate",
]
