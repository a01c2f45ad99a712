"""The command's verbs and its one way out: an exit code and a line."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from goodfit import __version__
from goodfit.cli.backtest import backtest
from goodfit.cli.compare import compare
from goodfit.cli.config import config
from goodfit.cli.doctor import doctor
from goodfit.cli.expectations import expectations
from goodfit.cli.explain import explain
from goodfit.cli.predict import predict
from goodfit.cli.preflight import check
from goodfit.cli.registry import history, rollback, trace
from goodfit.cli.repro import repro
from goodfit.cli.retrain import retrain
from goodfit.cli.schedule import schedule
from goodfit.cli.search import search
from goodfit.cli.serve import serve
from goodfit.cli.studies import ablate, learning_curve
from goodfit.cli.tracker import sync, ui
from goodfit.errors import ConfigurationError
from goodfit.stage.failure import DEBUG, report_failure
from goodfit.stage.memory import collect_seldom

# Typer carries a click of its own in some releases and shares click's in others: both know BadParameter's ancestor.
WrongUsage: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    help="From a table to a neural network that generalizes, and can prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(repro)
app.command()(check)
app.command()(doctor)
app.command()(config)
app.command()(explain)
app.command()(compare)
app.command()(ablate)
app.command()(learning_curve)
app.command()(predict)
app.command()(serve)
app.command()(retrain)
app.command()(schedule)
app.command()(backtest)
app.command()(rollback)
app.command()(history)
app.command()(trace)
app.command()(sync)
app.command()(ui)
app.add_typer(expectations, name="expectations")
app.add_typer(search, name="search")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    if debug:
        os.environ[DEBUG] = "1"
    if version:
        typer.echo(f"goodfit {__version__}")
        raise typer.Exit(0)


def main() -> NoReturn:
    """Run the command line and exit with the contract's code."""
    collect_seldom()
    try:
        code = app(standalone_mode=False)
    except typer.Exit as leave:
        code = leave.exit_code
    except WrongUsage as error:
        report_failure("goodfit", ConfigurationError(f"{error} Try goodfit --help."), Path.cwd())
        code = 2
    except typer.Abort:
        code = 130
    except BaseException as error:
        code = report_failure("goodfit", error, Path.cwd())
    sys.exit(code if isinstance(code, int) else 0)
