"""`goodfit explain`: one row from its raw values through preprocessing to the prediction."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from goodfit.errors import ConfigurationError, Fault, shorten
from goodfit.stage import console, say

if TYPE_CHECKING:
    from goodfit.evaluation.explaining import Explanation

SPLITS = ("train", "valid", "test")
CELL = 44


def explain(
    row: Annotated[int, typer.Option("--row", help="Number of the row in its split, from 0.", min=0)],
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    bundle: Annotated[Path, typer.Option(help="Folder of the model.")] = Path("models/candidate"),
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Follow one row: what was filled, scaled or unknown, what is predicted, and what each column contributed."""
    if split not in SPLITS:
        raise ConfigurationError([Fault("--split", "is no split", split, f"Known: {', '.join(SPLITS)}.")])
    # torch and pandas take seconds to import; the other verbs need not wait for them.
    from goodfit.bundle import load_bundle
    from goodfit.data import read_table
    from goodfit.evaluation.explaining import explain_row

    model = load_bundle(bundle)
    frame = read_table(Path(f"data/{split}.parquet")).frame
    if row >= len(frame):
        remedy = f"The rows of data/{split}.parquet are numbered from 0 to {len(frame) - 1:,}."
        raise ConfigurationError([Fault("--row", f"is no row of {split}", row, remedy)])
    found = explain_row(model, frame, row, read_table(Path("data/train.parquet")).frame)
    if as_json:
        typer.echo(json.dumps({"split": split, **found.to_dict()}, ensure_ascii=False))
        return
    _show(found, split)


def _show(found: "Explanation", split: str) -> None:
    decided = f"predicted {shorten(found.decision)}, " if found.decision is not None else "predicted "
    figures = ", ".join(f"{shorten(name)} {value:.6g}" for name, value in list(found.prediction.items())[:10])
    actual = "unknown" if found.actual is None else shorten(found.actual)
    say(f"{split} row {found.row}: {decided}{figures}; actual {actual}")
    say(f"{found.explained}: {found.average:+.4g} for the average train row, {found.score:+.4g} for this one;")
    say("the columns make up the difference.")
    screen = console()
    plain = not screen.is_terminal or screen.options.ascii_only
    table = Table(box=box.ASCII if plain else box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for heading in ("column", "value", "preprocessing", "becomes"):
        table.add_column(heading, overflow="fold")
    table.add_column("adds", justify="right", no_wrap=True)
    for step in found.steps:
        becomes = ", ".join(f"{value:.4g}" for value in step.prepared.values())
        raw = "missing" if step.raw is None else shorten(step.raw, CELL).strip("'")
        cells = [shorten(step.column, CELL).strip("'"), raw, step.treatment, becomes, f"{step.contribution:+.4f}"]
        table.add_row(*(Text(cell) for cell in cells))
    screen.print(table)
    if found.unused:
        say(f"not seen by the model: {', '.join(shorten(name, CELL) for name in found.unused)}")
