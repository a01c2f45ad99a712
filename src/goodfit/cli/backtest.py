"""`goodfit backtest`: how often to retrain, read from the data's own past."""

import json
from pathlib import Path
from typing import Annotated

import typer

from goodfit.errors import ConfigurationError, Fault
from goodfit.params import load_params, read_yaml
from goodfit.stage import say

PAGE = Path("reports/backtest.html")


def backtest(
    periods: Annotated[int, typer.Option(help="Equally long parts of the past.", min=3, max=200)] = 12,
    tolerance: Annotated[
        float, typer.Option(help="Loss that is taken, as a share of the metric.", min=0, max=1)
    ] = 0.01,
    out: Annotated[Path, typer.Option(help="Where to write the page.")] = PAGE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Live through the data's past: train before every period, score all later ones, and say how often to retrain."""
    # torch and pandas take seconds to import; the other verbs need not wait for them.
    from goodfit.backtesting import advise, live_through, periods_of
    from goodfit.backtesting.picture import page
    from goodfit.backtesting.watching import Watcher, rules_of
    from goodfit.evaluation import chosen_metrics
    from goodfit.files import write_text
    from goodfit.retraining.params import RetrainParams
    from goodfit.retraining.registering import RAW, validated
    from goodfit.training import FitSections

    root = Path.cwd()
    params = load_params(root / "params.yaml", RetrainParams)
    if not (root / RAW).exists():
        raise ConfigurationError([Fault(str(RAW), "is not there", None, "Run the pipeline first: make repro.")])
    best = root / "artifacts/best.yaml"
    sections = load_params(root / "params.yaml", FitSections, read_yaml(best) if best.exists() else {})
    table = validated(root, params)
    metric = chosen_metrics(params.evaluate, table.schema.task)[0]

    def told(done: int, whole: int) -> None:
        say(f"backtest: {done} of {whole} trainings", stderr=True)

    watch = Watcher(table, periods_of(table, periods), params, metric)
    lived = live_through(table, sections, metric, periods, max(1, periods // 3), told, watch)
    found = advise(lived, tolerance, rules_of(params))
    write_text(out, page(found, f"Backtest of {params.tracking.model_name}"))
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False))
        return
    say(f"{found.sentence}. The page: {out}")
