"""`goodfit ablate` and `goodfit learning-curve`: the chosen model is trained again, to say what made it good."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from goodfit.cli.preflight import load_script
from goodfit.files import read_json, remove, write_text
from goodfit.params import load_params
from goodfit.stage import console, say

if TYPE_CHECKING:
    from goodfit.evaluation import Finding
    from goodfit.registry import Section
    from goodfit.studies import Chosen

    Study = Callable[[Chosen, Any, Path], Finding]

REPORTS = Path("reports")
STATE = Path(".goodfit/state")
NAME = 32
"""Characters up to which what a row is about stays on one line, however narrow the terminal."""
Seeds = Annotated[int | None, typer.Option(help="Trainings of each kind; by default as params.yaml says.", min=2)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]


def ablate(seeds: Seeds = None, as_json: AsJson = False) -> None:
    """Train the chosen model without each active regularizer in turn, and say what each is worth on valid."""
    from goodfit.studies import ablate as study  # torch takes seconds to import; the other verbs need not wait for it

    _studied("ablation", study, seeds, as_json)


def learning_curve(seeds: Seeds = None, as_json: AsJson = False) -> None:
    """Train the chosen model on growing shares of the train rows, and say whether more rows would help."""
    from goodfit.studies import learning_curve as study

    _studied("learning_curve", study, seeds, as_json)


def _studied(name: str, study: "Study", seeds: int | None, as_json: bool) -> None:
    from goodfit.data import read_table
    from goodfit.studies import chosen_model
    from goodfit.tracking import read_record

    root = Path.cwd()
    params: Any = load_params(root / "params.yaml", load_script(root, "evaluate").Params)
    record = read_record(root)
    tables = (read_table(root / f"data/{split}.parquet") for split in ("train", "valid")) if record else ()
    chosen = chosen_model(record, *tables)
    section = getattr(params.evaluate, name)
    section = section if seeds is None else section.model_copy(update={"seeds": seeds})
    finding = study(chosen, section, root / STATE / name)
    _write(root, name, finding)
    _record(root, name, finding, params.tracking, record or {})
    remove(root / STATE / name)
    _show(name, finding, as_json)


def _write(root: Path, name: str, finding: "Finding") -> None:
    from goodfit.evaluation import render_finding, write_finding

    remove(root / REPORTS / name)
    write_finding(root / REPORTS / name, name, finding)
    write_text(root / REPORTS / f"{name}.html", render_finding(name, finding, f"{REPORTS}/{name}"))


def _record(root: Path, name: str, finding: "Finding", tracking: "Section", record: dict[str, Any]) -> None:
    """Add the study to the run of the chosen model, and leave the run as its gates left it."""
    from goodfit.tracking import Tracker, evaluation_metrics, record_tags

    attempt, search = record["attempt"], record["search"]
    with (
        Tracker(tracking, root) as tracker,  # type: ignore[arg-type]  # the stage's sections
        tracker.candidate(attempt, search=search, tags=record_tags(record)) as run,
    ):
        run.metrics(evaluation_metrics({"inspections": {name: finding.figures}}))
        run.artifact(root / REPORTS / name, "reports")
        run.artifact(root / REPORTS / f"{name}.html", "reports")
        gates = root / REPORTS / "evaluation/gates.json"
        if gates.exists():
            run.finish("FINISHED" if all(gate["passed"] for gate in read_json(gates)) else "FAILED")


def _show(name: str, finding: "Finding", as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"summary": finding.summary, "figures": dict(finding.figures)}, ensure_ascii=False))
        return
    screen = console()
    plain = not screen.is_terminal or screen.options.ascii_only
    for table in finding.tables.values():
        shown = Table(box=box.ASCII if plain else box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for place, heading in enumerate(table.columns):
            named = 0 if place else min(NAME, max((len(str(name)) for name in table[heading]), default=0))
            shown.add_column(str(heading).replace("_", " "), overflow="fold", min_width=named)
        for row in table.itertuples(index=False, name=None):
            shown.add_row(*(Text(f"{cell:.4g}" if isinstance(cell, float) else str(cell)) for cell in row))
        screen.print(shown)
    say(finding.summary)
    say(f"The page: {REPORTS}/{name}.html")
