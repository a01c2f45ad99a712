"""The expectations nobody wrote but everybody means.

Great Expectations leaves missing values out before it judges a column, so every range, set and pattern passes on a
column without values and on a table without rows. Each such rule therefore gets a partner of its own severity.
"""

from collections.abc import Iterable, Iterator

from goodfit.checks import catalog
from goodfit.checks.expectation import SEVERITIES, Expectation, Severity

NOT_NULL = "expect_column_values_to_not_be_null"
SHARE = "expect_column_proportion_of_non_null_values_to_be_between"
ROW_COUNT = "expect_table_row_count_to_be_between"
NEED_NO_VALUES = frozenset({NOT_NULL, SHARE, "expect_column_values_to_be_null", "expect_column_to_exist"})


def with_partners(suite: Iterable[Expectation]) -> tuple[Expectation, ...]:
    """Return the suite and, marked as implied, the partners that it lacks.

    A column without any not-null rule gets a full one; where a written one is less severe than the column's gravest
    rule, the column must at least hold a value at that severity. A table must hold a row.
    """
    written = tuple(suite)
    return (*written, *_rows(written), *_values(written))


def _rows(suite: tuple[Expectation, ...]) -> Iterator[Expectation]:
    if not any(_demands_rows(expectation) for expectation in suite):
        yield Expectation(ROW_COUNT, {"min_value": 1}, "critical", implied=True)


def _demands_rows(expectation: Expectation) -> bool:
    low = expectation.arguments.get("value" if expectation.name.endswith("_to_equal") else "min_value", 0)
    about_rows = expectation.name in (ROW_COUNT, "expect_table_row_count_to_equal")
    return about_rows and expectation.severity == "critical" and bool(low >= 1)


def _values(suite: tuple[Expectation, ...]) -> Iterator[Expectation]:
    guarded = _gravest((name, e.severity) for e in suite if _demands_values(e) for name in e.columns)
    judged = _gravest((name, e.severity) for e in suite if _passes_on_nothing(e) for name in e.columns)
    for name, severity in judged.items():
        if name not in guarded:
            yield Expectation(NOT_NULL, {"column": name}, severity, implied=True)
        elif SEVERITIES.index(guarded[name]) > SEVERITIES.index(severity):
            yield Expectation(SHARE, {"column": name, "min_value": 0, "strict_min": True}, severity, implied=True)


def _demands_values(expectation: Expectation) -> bool:
    arguments = expectation.arguments
    low = arguments.get("min_value") or 0
    return expectation.name == NOT_NULL or (
        expectation.name == SHARE and (low > 0 or bool(arguments.get("strict_min")))
    )


def _passes_on_nothing(expectation: Expectation) -> bool:
    return expectation.name not in NEED_NO_VALUES and not catalog.about_types(expectation.name)


def _gravest(pairs: Iterable[tuple[str, Severity]]) -> dict[str, Severity]:
    gravest: dict[str, Severity] = {}
    for name, severity in pairs:
        gravest[name] = min(gravest.get(name, severity), severity, key=SEVERITIES.index)
    return gravest
