"""`goodfit rollback`, `history` and `trace`: the registered model's past, and the way back."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from goodfit.params import load_params
from goodfit.registry import Section
from goodfit.stage import say
from goodfit.stage.signals import install_handlers
from goodfit.tracking import TrackingSection, model_registry, parse_number

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Params(Section):
    """Where runs and versions are kept."""

    tracking: TrackingSection


def rollback(
    version: Annotated[str | None, typer.Argument(help="Without it: the champion before this one.")] = None,
    reason: Annotated[str, typer.Option(help="Written down with the decision.")] = "",
    as_json: Json = False,
) -> None:
    """Make a version champion, the one before by default, after it was loaded afresh and answered as it must."""
    from goodfit.retraining.fresh import FreshProcess

    install_handlers()
    number, section = parse_number(version) if version is not None else None, _section()
    with FreshProcess() as process:  # first of all: what it imports and we import takes seconds each
        from goodfit.retraining.rollback import rollback as run

        with model_registry(section, Path.cwd(), make=False) as registry:
            decision = run(registry, Path.cwd(), number, process, reason)
    if as_json:
        typer.echo(json.dumps(decision.to_dict(), ensure_ascii=False))
        return
    before = "" if decision.previous is None else f"; version {decision.previous} was"
    say(f"version {decision.version} is champion{before}")


def history(
    every: Annotated[bool, typer.Option("--all", help="Also the retrains that changed nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Show who was champion when, and why it changed."""
    from goodfit.retraining.past import history as run

    with model_registry(_section(), Path.cwd(), make=False) as registry:
        found = run(registry)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for decision in found["decisions"]:
        say(f"{decision['at']}  version {decision['version']}  {decision['kind']}: {decision['reason']}")
    if not found["decisions"]:
        say(f"model '{found['model']}' has had no champion yet")
    for run_ in found["retrains"] if every else ():
        say(
            f"{run_['at']}  retrain {run_['status']}: {run_['outcome'] or run_['error'] or 'no word'}: {run_['reason']}"
        )


def trace(
    version: Annotated[str, typer.Argument(help="A version's number.")],
    as_json: Json = False,
) -> None:
    """Follow a version back to its data, commit, settings and environment, and to what was decided about it."""
    from goodfit.retraining.tracing import trace as run

    with model_registry(_section(), Path.cwd(), make=False) as registry:
        found = run(registry, parse_number(version))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, value in found.items():
        _show(name, value)


def _show(name: str, value: Any) -> None:
    if isinstance(value, dict):
        say(f"{name}:")
        for key, text in value.items():
            say(f"  {key}: {text}")
    elif isinstance(value, list):
        say(f"{name}: {', '.join(text if isinstance(text, str) else json.dumps(text) for text in value) or 'none'}")
    else:
        say(f"{name}: {value}")


def _section() -> TrackingSection:
    return load_params(Path("params.yaml"), Params).tracking
