"""Deal the rows that passed validation out to train, valid and test, and refuse a split that leaks.

Reads the raw table and the rows set aside. Writes the three splits and reports/split.json; when a leak check stops the
graph, the report is left under .goodfit/reports too, because DVC keeps no output of a failed stage.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import Field

from goodfit.stage import Stage, failpoint, run_stage, say  # isort: skip  (first, so that a failing import has its exit code)
from goodfit.data import SchemaSection, Table, conform, infer_schema, read_frame, write_table
from goodfit.data.quarantine import kept_rows
from goodfit.files import write_json
from goodfit.params import Seed
from goodfit.registry import Section
from goodfit.splits import NAMES, SPLITS, Parts, SplitSection, find_leaks, headline, refuse_leaks, split_table

REPORT = "reports/split.json"


class Params(Section):
    """The sections of params.yaml that decide where a row belongs."""

    seed: Seed
    schema_: SchemaSection = Field(alias="schema")
    split: SplitSection


def split_rows(stage: Stage[Params]) -> None:
    """Assign, look for leaks, report, and only then write the splits."""
    params = stage.params
    parts = split_table(_read(stage), params.split, params.seed)
    checks = find_leaks(parts, SPLITS.build(params.split))
    say(headline(parts))
    _report(stage, {**parts.to_dict(), "leakage": [check.to_dict() for check in checks]})
    for check in checks:
        if check.warns:
            say(f"warning: leak check '{check.name}': {check.detail}")
    refuse_leaks(checks)
    with ThreadPoolExecutor(len(NAMES)) as pool:
        for _ in pool.map(lambda name: _write(stage, parts, name), reversed(NAMES)):
            failpoint("split.between")  # K05: one split is written, another is not


def _read(stage: Stage[Params]) -> Table:
    section = stage.params.schema_
    frame = read_frame(stage.root / "data/raw.parquet")
    kept = kept_rows(len(frame), stage.root / "data/quarantine.parquet")
    frame = conform(frame if kept.all() else frame[kept].reset_index(drop=True), section)
    return Table(frame, infer_schema(frame, section))


def _write(stage: Stage[Params], parts: Parts, name: str) -> None:
    write_table(stage.root / f"data/{name}.parquet", parts.table, parts.mask(name))


def _report(stage: Stage[Params], report: dict[str, Any]) -> None:
    for path in (stage.root / REPORT, stage.root / ".goodfit" / REPORT):
        write_json(path, report)


if __name__ == "__main__":
    run_stage("split", Params, split_rows)
