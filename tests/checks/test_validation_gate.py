"""The gate says no only after everything that explains it is on disk."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.checks import Expectation, ValidateSection, Verdict, judge, validate
from goodfit.data import SchemaSection
from goodfit.data.quarantine import kept_rows
from goodfit.errors import ConfigurationError, DataError, GateError

SCHEMA = SchemaSection(target="y")
STOP = ValidateSection(suite="expectations/x.yaml")
QUARANTINE = ValidateSection(suite="expectations/x.yaml", on_failure="quarantine", max_quarantine=0.05)
AGE = Expectation("expect_column_values_to_be_between", {"column": "age", "min_value": 0, "max_value": 120})
NAMED = Expectation("expect_column_values_to_not_be_null", {"column": "city"})
MEAN = Expectation("expect_column_mean_to_be_between", {"column": "age", "min_value": 0, "max_value": 60})


def table(rows: int = 100) -> pd.DataFrame:
    numbers = np.arange(rows)
    return pd.DataFrame({"age": numbers % 90, "city": np.where(numbers % 2, "Rome", "Oslo"), "y": numbers % 2})


def broken(rows: int = 100) -> pd.DataFrame:
    frame = table(rows)
    frame.loc[3, "age"] = -4
    frame.loc[7, ["age", "city"]] = [999, None]
    return frame


def test_a_good_table_passes_and_leaves_the_contracts_report(tmp_path: Path) -> None:
    verdict = validate(table(), (AGE, NAMED), SCHEMA, STOP, tmp_path)
    report = json.loads((tmp_path / "reports/validation.json").read_text())
    assert verdict.success
    assert set(report) == {"success", "rows", "quarantined", "evaluated", "failed"}
    assert report["success"] is True and report["rows"] == 100 and report["failed"] == []
    assert report["evaluated"] == len(verdict.outcomes) > 2
    assert kept_rows(100, tmp_path / "data/quarantine.parquet").all()
    assert not (tmp_path / ".goodfit").exists()


def test_a_critical_failure_stops_after_the_reports_and_the_callback(tmp_path: Path) -> None:
    told: list[Verdict] = []

    def listen(verdict: Verdict) -> None:
        assert (tmp_path / "reports/validation.json").exists() and (tmp_path / "reports/validation/index.html").exists()
        told.append(verdict)

    with pytest.raises(GateError) as caught:
        validate(broken(), (AGE, NAMED), SCHEMA, STOP, tmp_path, on_failure=listen)
    message = str(caught.value)
    assert caught.value.exit_code == 6 and len(told) == 1 and not told[0].success
    assert "expectations/x.yaml" in message and "(age) failed in 2 rows: [-4, 999]" in message
    assert "(city) failed in 1 rows" in message and ".goodfit/reports/validation-failed.json" in message
    report = json.loads((tmp_path / "reports/validation.json").read_text())
    assert report["failed"][0] == {
        "expectation": AGE.name,
        "column": "age",
        "severity": "critical",
        "observed": [-4, 999],
        "unexpected_count": 2,
    }
    kept = tmp_path / ".goodfit/reports/validation-failed.json"
    assert json.loads(kept.read_text()) == report and kept.with_suffix(".html").exists()


def test_a_later_success_takes_the_kept_failure_away(tmp_path: Path) -> None:
    with pytest.raises(GateError):
        validate(broken(), (AGE,), SCHEMA, STOP, tmp_path)
    validate(table(), (AGE,), SCHEMA, STOP, tmp_path)
    assert list((tmp_path / ".goodfit/reports").iterdir()) == []


@pytest.mark.parametrize("severity", ["warning", "info"])
def test_lesser_failures_are_reported_and_let_through(severity: Any, tmp_path: Path) -> None:
    rule = Expectation(AGE.name, AGE.arguments, severity)
    verdict = validate(broken(), (rule,), SCHEMA, STOP, tmp_path)
    assert verdict.success and [o.expectation.severity for o in verdict.failed] == [severity]


def test_quarantine_sets_the_rows_aside_and_judges_the_rest_again(tmp_path: Path) -> None:
    verdict = validate(broken(), (AGE, NAMED, MEAN), SCHEMA, QUARANTINE, tmp_path)
    assert verdict.success and [row for row, _ in verdict.quarantined] == [3, 7]
    assert verdict.quarantined[1][1] == f"{AGE.name}(age); {NAMED.name}(city)"
    report = json.loads((tmp_path / "reports/validation.json").read_text())
    assert (report["success"], report["quarantined"], len(report["failed"])) == (True, 2, 2)
    kept = kept_rows(100, tmp_path / "data/quarantine.parquet")
    assert np.flatnonzero(~kept).tolist() == [3, 7]


def test_quarantine_keeps_to_its_limit(tmp_path: Path) -> None:
    strict = ValidateSection(suite="x.yaml", on_failure="quarantine", max_quarantine=0.01)
    with pytest.raises(GateError, match=r"max_quarantine \(1\.00% of the rows\)"):
        validate(broken(), (AGE, NAMED), SCHEMA, strict, tmp_path)
    assert kept_rows(100, tmp_path / "data/quarantine.parquet").all()


def test_rules_that_together_exceed_the_limit_stop_too() -> None:
    frame = table()
    frame.loc[[1, 2, 3], "age"] = -1
    frame.loc[[4, 5, 6], "city"] = None
    assert not judge(frame, (AGE, NAMED), SCHEMA, QUARANTINE).success
    assert judge(frame, (AGE,), SCHEMA, QUARANTINE).success


def test_quarantine_does_not_help_what_is_not_about_rows(tmp_path: Path) -> None:
    rows = Expectation("expect_table_row_count_to_be_between", {"min_value": 99})
    with pytest.raises(GateError, match="row_count"):
        validate(broken(), (AGE, rows), SCHEMA, QUARANTINE, tmp_path)
    mean = Expectation(MEAN.name, {"column": "age", "min_value": 0, "max_value": 1})
    with pytest.raises(GateError, match="mean"):
        validate(broken(), (AGE, mean), SCHEMA, QUARANTINE, tmp_path)


@pytest.mark.parametrize("section", [STOP, QUARANTINE])
def test_equal_tables_give_equal_bytes(section: ValidateSection, tmp_path: Path) -> None:
    for name in ("one", "two"):
        soft = Expectation(AGE.name, AGE.arguments, "warning")
        validate(broken(), (soft, *([NAMED] if section is QUARANTINE else [])), SCHEMA, section, tmp_path / name)
    files = [p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file()]
    assert len(files) == 3
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_schema_section_must_fit(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Did you mean"):
        validate(table(), (AGE,), SchemaSection(target="yy"), STOP, tmp_path)
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("value", [None, "one"])
def test_a_target_that_cannot_be_learnt_is_told_after_the_report(value: Any, tmp_path: Path) -> None:
    frame = table().assign(y=pd.Series([value] * 100, dtype=object))
    told: list[Verdict] = []
    with pytest.raises(DataError, match="column 'y'"):
        validate(frame, (AGE,), SCHEMA, STOP, tmp_path, on_failure=told.append)
    report = json.loads((tmp_path / "reports/validation.json").read_text())
    assert told and report["success"] is False and report["failed"][0]["expectation"] == "schema"
