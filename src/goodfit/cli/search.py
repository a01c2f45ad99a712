"""`goodfit search`: see a running, dead or finished search; hand it to Optuna's dashboard."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from goodfit.errors import Fault, MachineError
from goodfit.stage import say

if TYPE_CHECKING:
    from goodfit.tuning.status import Status

STORAGE = Path(".goodfit/optuna.journal")

search = typer.Typer(help="See a search from another terminal, and hand it to Optuna's tools.", no_args_is_help=True)


@search.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show how the latest search stands: running, dead or finished."""
    from goodfit.tuning.status import status_of  # with Optuna, a second that the other verbs need not wait

    found = status_of(Path.cwd())
    if as_json:
        typer.echo(json.dumps(found.to_dict() if found else {"state": "none"}, indent=2))
    else:
        typer.echo(described(found) if found else "no search: none has run in this workspace (tune.trials)")


@search.command()
def export(out: Annotated[Path, typer.Option(help="The Optuna journal file to write.")] = STORAGE) -> None:
    """Write the latest search into a journal file of Optuna's, study name goodfit."""
    say(f"{_exported(out)} trials in {out}")


@search.command()
def dashboard(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 8080) -> NoReturn:
    """Open optuna-dashboard on the latest search, on this machine only; a running search is shown as it is now."""
    program = shutil.which("optuna-dashboard", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        remedy = "Install it: pip install 'goodfit[dashboard]'."
        raise MachineError([Fault("optuna-dashboard", "is not installed", None, remedy)])
    _exported(STORAGE)
    say(f"optuna-dashboard is at http://127.0.0.1:{port} in some seconds; Ctrl-C ends it.")
    os.execv(program, [program, str(STORAGE), "--host", "127.0.0.1", "--port", str(port)])


def described(status: "Status") -> str:
    """Return a status as a few lines."""
    life = {
        "running": f"running, process {status.process}",
        "dead": "dead: its process is gone, and the next dvc repro goes on with it",
        "finished": "finished",
    }[status.state]
    lines = [
        f"search   {life}",
        f"trials   {status.done} of {status.trials} done ({status.complete} complete, {status.pruned} pruned), "
        f"{status.failed} failed, {status.training} {'to go on with' if status.state == 'dead' else 'training'}",
        f"time     {status.seconds:.0f} s, {status.trials_per_minute:.1f} trials a minute"
        + ("" if status.seconds_left is None else f", about {status.seconds_left:.0f} s left"),
    ]
    if status.rescored:
        lines.append(f"rescored {status.rescored} second looks at the best trials")
    if status.best is not None:
        lines.append(f"best     {status.best:.6g} (trial {status.best_trial})")
    return "\n".join([*lines, f"journal  {status.journal}"])


def _exported(out: Path) -> int:
    """Write the latest search as Optuna's journal; return its number of trials."""
    from goodfit.tuning.export import export
    from goodfit.tuning.status import journal_of, read_record

    journal = journal_of(Path.cwd())
    if journal is None:
        raise MachineError([Fault(".goodfit", "holds no search", None, "Run dvc repro with tune.trials above 0.")])
    return export(read_record(journal), out)
