"""`goodfit retrain`: what a schedule calls."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goodfit.cli.alerting import alerting
from goodfit.cli.repro import run_pipeline
from goodfit.params import load_params
from goodfit.retraining.outcome import Outcome
from goodfit.stage import say
from goodfit.stage.signals import install_handlers

if TYPE_CHECKING:
    import pandas as pd

    from goodfit.bundle import Bundle
    from goodfit.retraining.receipt import Receipt
    from goodfit.retraining.served import Served


def retrain(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide, and train nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Train whatever the policy says.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what it came to as JSON.")] = False,
) -> None:
    """Look for new data; if the policy asks for it, retrain, compare with the champion, and promote or keep.

    Exits 0 when that is done, whoever is champion, and 6 when validation or a gate refuses the data or the model.
    """
    root = Path.cwd()
    install_handlers()  # told to end, it ends its turn and closes its run
    with alerting(root, quiet=dry_run) as tell:
        found = None if force else _nothing_new(root)
        outcome = Outcome("nothing_new", found.said, due=found.due) if found else _retrained(root, dry_run, force)
        tell(outcome)
    if as_json:
        typer.echo(json.dumps(outcome.to_dict(), ensure_ascii=False))
        return
    say(f"retrain: nothing new since the last one, which said: {outcome.reason}" if found else outcome.sentence)


def _nothing_new(root: Path) -> "Receipt | None":
    from goodfit.retraining.freshness import nothing_new  # with pyarrow, a second that the other verbs need not wait

    return nothing_new(root, _served(root))


def _served(root: Path) -> "Served":
    from goodfit.retraining.served import Served
    from goodfit.serving.parts import FOLDER, state_of

    def rows(bundle: "Bundle", version: int) -> "pd.DataFrame":
        from goodfit.serving.served import served_rows

        return served_rows(root / FOLDER, bundle, version)

    return Served(lambda: state_of(root / FOLDER), rows)


def _retrained(root: Path, dry_run: bool, force: bool) -> Outcome:
    from goodfit.retraining.params import RetrainParams
    from goodfit.retraining.retrain import retrain as run

    params = load_params(root / "params.yaml", RetrainParams)

    def pipeline(arguments: Sequence[str]) -> int:
        return run_pipeline(root, arguments, quiet=True)

    return run(root, params, pipeline, _served(root), dry_run=dry_run, force=force)
