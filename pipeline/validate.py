"""Check the raw table against its expectation suite; stop the graph, or set rows aside, when it fails.

Reads the raw table and the suite. Writes reports/validation.json, reports/validation/ and data/quarantine.parquet, also
when the verdict is no; a refusal is recorded as a failed run before the stage fails.
"""

from pydantic import Field

from goodfit.stage import Stage, run_stage, say  # isort: skip  (first, so that a failing import has its exit code)
from goodfit.checks import ValidateSection, Verdict, read_suite, validate
from goodfit.data import SchemaSection, read_frame
from goodfit.registry import Section
from goodfit.tracking import Tracker, TrackingSection


class Params(Section):
    """The sections of params.yaml that decide what passes."""

    schema_: SchemaSection = Field(alias="schema")
    checks: ValidateSection = Field(alias="validate")
    tracking: TrackingSection


def validate_table(stage: Stage[Params]) -> None:
    """Read the suite first: its mistakes are told before any data are read."""
    section = stage.params.checks
    suite = read_suite(stage.root / section.suite)
    frame = read_frame(stage.root / "data/raw.parquet")
    verdict = validate(
        frame,
        suite,
        stage.params.schema_,
        section,
        stage.root,
        on_failure=lambda verdict: record_refusal(stage, verdict),
    )
    aside = f", {len(verdict.quarantined):,} rows set aside" if verdict.quarantined else ""
    say(f"validate: {verdict.rows:,} rows, {len(verdict.outcomes)} checks, {len(verdict.failed)} failed{aside}")


def record_refusal(stage: Stage[Params], verdict: Verdict) -> None:
    """Tell the tracker, with the report, that these data were refused."""
    with Tracker(stage.params.tracking, stage.root) as tracker:
        tags = {f"dvc.{path}.md5": md5 for path, md5 in stage.inputs.items()}
        reasons = "; ".join(outcome.expectation.name for outcome in verdict.standing)
        tracker.failed_validation(stage.key, stage.root / "reports/validation.json", tags, reasons)


if __name__ == "__main__":
    run_stage("validate", Params, validate_table)
