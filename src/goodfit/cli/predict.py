"""`goodfit predict`: answers for a file of rows."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from goodfit.errors import Interrupted
from goodfit.stage import console, say
from goodfit.stage.signals import install_handlers

if TYPE_CHECKING:
    from goodfit.serving.batch import Report, Request

MODEL = "champion, candidate, a version's number, or a bundle's folder. Without it: the champion, else the candidate."


def predict(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="CSV, TSV or Parquet with the model's columns.")],
    target: Annotated[Path, typer.Argument(metavar="OUTPUT", help="CSV, TSV or Parquet to be written.")],
    model: Annotated[str | None, typer.Option(help=MODEL)] = None,
    with_input: Annotated[bool, typer.Option("--with-input", help="Also write every column of the input.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Answer every row of a file; rows that cannot be answered are set aside, beside OUTPUT, each with its reason."""
    # torch, MLflow and pandas take seconds to import; the other verbs need not wait for them.
    from goodfit.serving.batch import Request, predict_file
    from goodfit.serving.choosing import choose
    from goodfit.serving.params import project_rules, tracking_section

    root, start = Path.cwd(), time.monotonic()
    install_handlers()
    form, suite, overridden = project_rules(root)
    with tempfile.TemporaryDirectory() as scratch:
        chosen = choose(model, root, lambda: tracking_section(root), Path(scratch))
    request = Request(source, target, with_input, form, suite, overridden)
    try:
        with _shown() as progress:
            report = predict_file(request, chosen, progress)
    except Interrupted as error:
        say(f"predict: interrupted by signal {error.signal_number}; {target} is as it was", stderr=True)
        raise typer.Exit(error.exit_code) from None
    _tell(report, request, time.monotonic() - start, as_json)


@contextmanager
def _shown() -> Iterator[Callable[[int, int | None], None]]:
    """Show how many rows are done, on a terminal only."""
    screen = console(stderr=True)
    columns = TextColumn("rows"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("rows", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _tell(report: "Report", request: "Request", seconds: float, as_json: bool) -> None:
    files = {"output": str(request.target), "set_aside_file": str(request.set_aside) if report.set_aside else None}
    if as_json:
        typer.echo(json.dumps({**report.to_dict(), **files, "seconds": round(seconds, 3)}, ensure_ascii=False))
        return
    say(f"{request.target}: {report.rows - report.set_aside:,} rows answered by {report.model} in {seconds:.1f} s")
    if report.set_aside:
        say(f"{request.set_aside}: {report.set_aside:,} rows set aside:")
        for reason, count in report.to_dict()["reasons"].items():
            say(f"  {count:,}: {reason}")
    for rule, count in report.to_dict()["noticed"].items():
        say(f"beware: {count:,} rows break {rule}, which sets none aside")
