"""Read the source and write it, types exact, as one Parquet file.

Reads what the `source` section names. Writes data/raw.parquet.
"""

from goodfit.stage import Stage, run_stage, say  # isort: skip  (first, so that a failing import has its exit code)
from goodfit.registry import Section
from goodfit.sources import SOURCES, SourceSection, ingest


class Params(Section):
    """The sections of params.yaml that say where the table comes from."""

    source: SourceSection


def ingest_table(stage: Stage[Params]) -> None:
    """Stream the source to data/raw.parquet."""
    done = ingest(SOURCES.build(stage.params.source), stage.root / "data/raw.parquet")
    say(f"ingest: {done.rows:,} rows, {len(done.columns)} columns, sha256 {done.fingerprint[:12]}")


if __name__ == "__main__":
    run_stage("ingest", Params, ingest_table)
