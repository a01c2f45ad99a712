"""The CSV files for `dvc plots`: right, bounded, safe in a spreadsheet, and rendered by the real DVC."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from goodfit.evaluation import INSPECTIONS, Context, EvaluateSection, evaluate, write_reports
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.plots import (
    COLUMNS,
    MAX_POINTS,
    MAX_ROWS,
    confusion_counts,
    plot_tables,
    write_plots,
    write_table,
)
from goodfit.metrics import METRICS

ROOT = Path(__file__).parents[2]
OFF: dict[str, Any] = {kind: {"enabled": False} for kind in INSPECTIONS}
QUICK = EvaluateSection(bootstrap=BootstrapSection(resamples=100), **OFF)


def said(rows: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    probability = rng.dirichlet(np.ones(classes), rows)
    return (rng.random(rows)[:, None] > probability.cumsum(axis=1)).sum(axis=1).clip(max=classes - 1), probability


def test_the_roc_curve_has_the_metrics_area(world: Callable[..., Any]) -> None:
    target, probability = said(3000)
    roc = plot_tables(world("binary").schema, target, probability, probability.argmax(axis=1))["roc"]
    assert len(roc) == MAX_POINTS
    area = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
    assert area == pytest.approx(METRICS["roc_auc"].cls().compute(target, probability), abs=2e-3)
    assert roc.iloc[0].tolist() == [0, 0]
    assert roc.iloc[-1].tolist() == [1, 1]


@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 3)])
def test_calibrated_answers_lie_on_the_diagonal(world: Callable[..., Any], task: str, classes: int) -> None:
    target, probability = said(20_000, classes)
    bins = plot_tables(world(task).schema, target, probability, probability.argmax(axis=1))["calibration"]
    assert len(bins) == 10
    assert bins["rows"].sum() == 20_000
    assert np.abs(bins["predicted"] - bins["observed"]).max() < 0.04
    assert bins["predicted"].is_monotonic_increasing


def test_one_class_has_no_roc_curve(world: Callable[..., Any]) -> None:
    _, probability = said(20)
    tables = plot_tables(world("binary").schema, np.zeros(20, int), probability, probability.argmax(axis=1))
    assert set(tables) == {"confusion", "calibration"}


def test_tables_by_row_are_bounded_but_counts_are_of_all(world: Callable[..., Any]) -> None:
    target, probability = said(MAX_ROWS + 500)
    classes = probability.argmax(axis=1)
    assert len(plot_tables(world("binary").schema, target, probability, classes)["confusion"]) == MAX_ROWS
    counts = confusion_counts(target, classes, 2)
    assert sum(map(sum, counts)) == MAX_ROWS + 500
    assert counts[1][0] == int(((target == 1) & (classes == 0)).sum())


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("=cmd|'/c calc'!A1", False),
        ("+1+1", False),
        ("-1+1", False),
        ("@SUM(A1)", False),
        ("\t=1", False),
        ("\r=1", False),
        ("-1", True),
        ("+1.5e3", True),
        ("plain", True),
        ('quote " comma , line\nbreak', True),
        ("", True),
        ("ü 漢字", True),
    ],
)
def test_no_spreadsheet_runs_a_class_name(tmp_path: Path, text: str, kept: bool) -> None:
    write_plots(tmp_path, {"confusion": pd.DataFrame({"actual": [text], "predicted": ["b"]})})
    with (tmp_path / "confusion.csv").open(encoding="utf-8", newline="") as lines:
        heading, row = list(csv.reader(lines))
    assert heading == ["actual", "predicted"]
    assert row == [text if kept else f"'{text}", "b"]


def dvc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DVC_NO_ANALYTICS": "1", "DVC_GLOBAL_CONFIG_DIR": str(folder / "none")}
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a DVC project with the plots of the real dvc.yaml, and no stage."""
    folder = tmp_path_factory.mktemp("plots")
    yaml = YAML(typ="safe", pure=True)
    declared = yaml.load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["plots"]
    with (folder / "dvc.yaml").open("w", encoding="utf-8") as out:
        yaml.dump({"plots": declared}, out)
    dvc(folder, "init", "-q", "--no-scm")
    return folder


@pytest.mark.parametrize(
    ("task", "drawn"),
    [
        ("binary", {"Loss", "ROC", "Calibration", "Confusion"}),
        ("multiclass", {"Loss", "Calibration", "Confusion"}),
        ("regression", {"Loss", "Predicted"}),
    ],
)
def test_dvc_draws_what_the_task_has(world: Callable[..., Any], project: Path, task: str, drawn: set[str]) -> None:
    made = world(task)
    (project / "reports").mkdir(exist_ok=True)
    (project / "reports/training.csv").write_text("epoch,lr,train/loss,valid/loss\n1,0.1,0.7,0.8\n2,0.1,0.5,0.7\n")
    write_reports(project / "reports", evaluate(made.oracle, made.parts, QUICK, 7), Context())
    shown = dvc(project, "plots", "show", "-o", "html")
    assert "failed" not in shown.stderr.lower()
    table = pd.DataFrame({"column": ["a", "b"], "loss": [0.2, 0.1], "low": [0.1, 0.0], "high": [0.3, 0.2]})
    write_table(project / "reports/evaluation/explanations_importance.csv", table)
    shown = dvc(project, "plots", "show", "-o", "html")
    assert "failed" not in shown.stderr.lower()
    page = (project / "html/index.html").read_text(encoding="utf-8")
    titles = [
        word for word in ("Loss", "ROC", "Calibration", "Confusion", "Predicted", "What") if f'"text": "{word}' in page
    ]
    assert set(titles) == drawn | {"What"}


def test_a_missing_table_is_what_dvc_complains_about(project: Path) -> None:
    """Why tables that a task has no use for are written with their heading alone."""
    (project / "reports/training.csv").write_text("epoch,train/loss,valid/loss\n1,0.7,0.8\n")
    shutil.rmtree(project / "reports/evaluation", ignore_errors=True)
    write_plots(project / "reports/evaluation", {})
    (project / "reports/evaluation/roc.csv").unlink()
    assert "failed" in dvc(project, "plots", "show", "-o", "html").stderr.lower()


def test_every_table_is_declared_in_dvc_yaml() -> None:
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    assert len(COLUMNS) == 5
    assert [stem for stem in COLUMNS if f"reports/evaluation/{stem}.csv" not in text] == []
