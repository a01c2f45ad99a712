"""The table at the end of a run: fits 80 columns, ASCII where there is no terminal."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from goodfit.evaluation import INSPECTIONS, EvaluateSection, evaluate, show_table, verdict
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.metrics import METRICS

QUICK = BootstrapSection(resamples=100)
OFF: dict[str, Any] = {kind: {"enabled": False} for kind in INSPECTIONS}


def shown(evaluation: Any, *, terminal: bool) -> str:
    out = io.StringIO()
    show_table(evaluation, Console(file=out, force_terminal=terminal, width=80, color_system=None, _environ={}))
    return out.getvalue()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_metric_has_its_line_in_ascii(world: Callable[..., Any], task: str) -> None:
    made = world(task)
    names = [name for name in METRICS if task in METRICS[name].facts["tasks"]]
    evaluation = evaluate(made.oracle, made.parts, EvaluateSection(metrics=names, bootstrap=QUICK, **OFF), 7)
    text = shown(evaluation, terminal=False)
    assert text.isascii()
    table = text[: text.index(verdict(evaluation)[:16])].splitlines()
    assert len(table) == len(names) + 2
    assert all(len(line) <= 80 for line in table)
    assert [line.split()[0] for line in table[2:]] == names
    assert " ".join(text.split()).endswith(verdict(evaluation))


def test_a_terminal_gets_a_rule(world: Callable[..., Any]) -> None:
    made = world("binary")
    assert "─" in shown(evaluate(made.oracle, made.parts, EvaluateSection(bootstrap=QUICK, **OFF), 7), terminal=True)


def test_undefined_is_a_dash_and_large_values_are_whole(world: Callable[..., Any]) -> None:
    made = world("regression")
    made.parts.test.frame["y"] = 2e5
    text = shown(evaluate(made.oracle, made.parts, EvaluateSection(bootstrap=QUICK, **OFF), 7), terminal=False)
    assert "200,0" in text
    assert next(line for line in text.splitlines() if line.startswith("r2")).count(" - |") == 3, "test, interval, gap"


def test_the_screen_of_the_process_is_the_default(
    world: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made = world("binary")
    evaluation = evaluate(made.oracle, made.parts, EvaluateSection(metrics=["f1"], bootstrap=QUICK, **OFF), 7)
    show_table(evaluation)
    assert verdict(evaluation) in capsys.readouterr().out
