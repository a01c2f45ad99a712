"""`goodfit ui` and `goodfit sync`: the tracking store, seen and brought up to date."""

import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from goodfit.errors import Fault, ServiceError
from goodfit.params import load_params
from goodfit.registry import Section
from goodfit.stage import say
from goodfit.tracking import Outage, Tracker, TrackingSection, ui_command


class Params(Section):
    """Where runs are kept."""

    tracking: TrackingSection


def ui(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 5000) -> NoReturn:
    """Open MLflow's interface on the project's tracking store, on this machine only."""
    command = ui_command(_section(), Path.cwd(), port)
    say(f"MLflow is at http://127.0.0.1:{port} in some seconds; Ctrl-C ends it.")
    os.execv(command[0], command)


def sync() -> None:
    """Send what could not be sent while the tracker was down."""
    try:
        sent = Tracker(_section(), Path.cwd()).sync()
    except Outage as error:
        fault = Fault("tracking", f"does not answer: {error}", None, "Start it, then run goodfit sync again.")
        raise ServiceError([fault]) from error
    say(f"sent {sent} operations")


def _section() -> TrackingSection:
    return load_params(Path("params.yaml"), Params).tracking
