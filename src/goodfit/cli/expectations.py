"""`goodfit expectations draft`: a first suite, proposed from the data."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from goodfit.cli.preflight import load_script
from goodfit.errors import ConfigurationError, Fault
from goodfit.files import write_text
from goodfit.params import load_params
from goodfit.stage import say

RULE = "\n  - "
expectations = typer.Typer(help="Expectation suites.", no_args_is_help=True)


@expectations.callback()
def _group() -> None:
    """Keep `draft` a subcommand although it is the only one."""


@expectations.command(name="draft")
def draft_suite(
    path: Annotated[Path, typer.Argument(help="Where to write the suite, such as expectations/rows.yaml.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a suite that is there.")] = False,
) -> None:
    """Read the source of params.yaml and propose expectations for every column and for the table."""
    if path.exists() and not force:
        raise ConfigurationError([Fault(str(path), "is there already", None, "Name another file, or give --force.")])
    # Pandas and the sources take a second to import; the other verbs need not wait for them.
    from goodfit.checks import columns_with_rules, draft_text
    from goodfit.data import read_frame
    from goodfit.sources import SOURCES, ingest

    source = load_params(Path("params.yaml"), load_script(Path.cwd(), "ingest").Params).source
    schema = load_params(Path("params.yaml"), load_script(Path.cwd(), "validate").Params).schema_
    with tempfile.TemporaryDirectory() as folder:
        ingest(SOURCES.build(source), Path(folder) / "raw.parquet")
        frame = read_frame(Path(folder) / "raw.parquet")
    text = draft_text(frame, schema)
    write_text(path, text)
    say(f"{path}: {text.count(RULE)} expectations. Read them, tighten them, then name the file in validate.suite.")
    ignored = len(schema.ignore) if schema else 0
    if left := frame.shape[1] - ignored - len(columns_with_rules(frame, schema)):
        say(f"{left:,} of {frame.shape[1]:,} columns have no rules of their own: add those that you rely on.")
