"""The short table at the end of a run."""

import math

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from goodfit.evaluation.estimates import Estimate
from goodfit.evaluation.result import Evaluation
from goodfit.evaluation.verdict import strongest, verdict
from goodfit.stage import console, say


def render_table(evaluation: Evaluation, *, ascii_only: bool = False) -> Table:
    """Return the metrics as a table: a line per metric, test with its interval, gap, and the strongest baseline."""
    reference = strongest(evaluation)
    table = Table(
        box=box.ASCII if ascii_only else box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False
    )
    table.add_column("metric", overflow="fold")
    chosen_on = "valid (seen)" if "valid" in evaluation.seen else "valid"
    for heading in ("train", chosen_on, "test", f"{100 * evaluation.level:g} % interval", "gap", reference):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in evaluation.metrics:
        train, valid, test = (evaluation.splits[split][name] for split in ("train", "valid", "test"))
        baseline = evaluation.baselines[reference][name]
        cells = [name, _value(train), _value(valid), _value(test), _interval(test)]
        cells += [_number(evaluation.generalization_gap[name], "+"), _value(baseline)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def show_table(evaluation: Evaluation, screen: Console | None = None) -> None:
    """Print the table and the verdict; a screen that is no terminal, or not UTF-8, gets ASCII lines."""
    target = screen or console()
    target.print(render_table(evaluation, ascii_only=not target.is_terminal or target.options.ascii_only))
    if screen is None:
        say(verdict(evaluation))
    else:
        screen.print(Text(verdict(evaluation)))


def _interval(estimate: Estimate) -> str:
    return "-" if math.isnan(estimate.low) else f"{_number(estimate.low)} to {_number(estimate.high)}"


def _value(estimate: Estimate) -> str:
    return _number(estimate.value)


def _number(value: float, sign: str = "") -> str:
    """Return three significant digits, or a whole number from 1,000 on: a line fits 80 columns."""
    if math.isnan(value):
        return "-"
    return f"{value:{sign}#.3g}".rstrip(".") if abs(value) < 1000 else f"{value:{sign},.0f}"
