"""report.html: whole without a network, equal for equal evaluations, and deaf to what the data would like it to do."""

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jinja2 import Environment

from goodfit.evaluation import INSPECTIONS, Context, EvaluateSection, Evaluation, evaluate, render_report, write_reports
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.charts import line_chart
from goodfit.evaluation.page import views
from goodfit.evaluation.page.context import read_curves
from goodfit.evaluation.verdict import strongest

OFF: dict[str, Any] = {kind: {"enabled": False} for kind in INSPECTIONS}
QUICK = EvaluateSection(bootstrap=BootstrapSection(resamples=100), **OFF)
CURVES = {"train/loss": [(1.0, 0.7), (2.0, 0.5)], "valid/loss": [(1.0, 0.8), (2.0, 0.6)]}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</td></tr></table><h1>forged</h1>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe src=//evil.example></iframe>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example>",
    "<style>body{display:none}</style>",
    "<!-- ",
    "]]><x>",
    "{{ 7 * 7 }}",
    "{% for x in range(9) %}boom{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\x1b]0;title\x07\x1b[31mred",
    "line\nbreak\rreturn",
    "\u202egnp.exe",
    "<" * 300,
    "ü 漢字 😀",
)


class Page(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.joined = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attributes
        self.joined = tag == "wbr"  # a place to break a word, which stays one word

    def handle_data(self, data: str) -> None:
        if self.joined:
            data = self.texts.pop() + data
        self.joined = False
        self.texts.append(data)


def page_of(evaluation: Evaluation, settings: dict[str, Any], curves: dict[str, Any]) -> str:
    return render_report(evaluation, Context(record={"params": settings} if settings else {}, curves=curves))


@pytest.fixture(scope="module")
def evaluations(world: Callable[..., Any]) -> dict[str, Evaluation]:
    tasks = ("binary", "multiclass", "regression")
    return {task: evaluate((made := world(task)).oracle, made.parts, QUICK, 7) for task in tasks}


def harmless(page: Page) -> None:
    """Assert that nothing on the page runs or fetches anything."""
    assert not set(page.tags) & {"script", "img", "iframe", "base", "a", "link", "object", "embed", "form", "input"}
    for name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "href", "style", "srcdoc", "autofocus")
        assert "javascript:" not in (value or "")


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_what_the_data_say_stays_text(evaluations: dict[str, Evaluation], hostile: str) -> None:
    plain = Page(page_of(evaluations["binary"], {"a": "b"}, CURVES))
    forged = replace(evaluations["binary"], classes=("No", hostile), notes={hostile: hostile})
    curves = {"train/loss": CURVES["train/loss"], hostile: CURVES["valid/loss"]}
    page = Page(page_of(forged, {hostile: hostile}, curves))
    harmless(page)
    notes = Counter({"section": 1, "h2": 1, "ul": 1, "li": 1})
    assert page.tags - plain.tags == notes, "the notes, and no tag of the data"
    shown = "".join(page.texts)
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "boomboom" not in shown
    if hostile.isprintable():
        assert shown.count(hostile[:150]) >= 6, "escaped, and complete but for what is too long for a cell"


def test_without_autoescape_the_same_page_would_run_the_data(
    evaluations: dict[str, Evaluation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(**options: Any) -> Environment:
        return Environment(**options | {"autoescape": False})

    monkeypatch.setattr("goodfit.evaluation.page.report.Environment", careless)
    page = Page(page_of(replace(evaluations["binary"], classes=("No", HOSTILE[0])), {}, CURVES))
    assert page.tags["script"] > 0


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_page_is_whole(evaluations: dict[str, Evaluation], task: str) -> None:
    text = page_of(evaluations[task], {"model.width": 128, "tune.timeout": None}, CURVES)
    page = Page(text)
    harmless(page)
    assert page.tags["svg"] == {"binary": 3, "multiclass": 2, "regression": 2}[task]
    shown = " ".join(page.texts)
    for part in (
        *evaluations[task].metrics,
        f"{strongest(evaluations[task])} baseline",
        "linear",
        "dummy",
        "model.width",
        "128",
        "off",
        "bootstrap",
    ):
        assert part in shown, part
    assert text == page_of(evaluations[task], {"tune.timeout": None, "model.width": 128}, CURVES)
    assert len(text) < 200_000


def test_the_policy_lets_in_this_style_and_nothing_else(evaluations: dict[str, Evaluation]) -> None:
    text = page_of(evaluations["binary"], {}, {})
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert style and policy
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert policy[1].startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy[1]
    assert not re.search(r"url\(|@import|http", style[1])
    assert text.index("Content-Security-Policy") < text.index("<style>")


def test_files_are_written_whole_and_old_ones_go(evaluations: dict[str, Evaluation], tmp_path: Path) -> None:
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation/old.csv").write_text("stale")
    (tmp_path / "training.csv").write_text("epoch,lr,train/loss,valid/loss\n1,0.1,0.7,0.8\n2,0.1,0.5,\n")
    write_reports(tmp_path, evaluations["binary"], Context(curves=read_curves(tmp_path / "training.csv")))
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    stems = ("calibration", "confusion", "explanations_importance", "predicted_vs_actual", "roc")
    tables = ["evaluation/table_baselines.json", "evaluation/table_metrics.json"]
    assert found == [*(f"evaluation/{stem}.csv" for stem in stems), *tables, "report.html", "training.csv"]
    assert "loss by epoch" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_curves_leave_out_what_an_epoch_lacks(tmp_path: Path) -> None:
    path = tmp_path / "training.csv"
    path.write_text("epoch,train/loss,valid/loss\n1,0.7,0.8\n2,0.5,\n3,inf,0.7\n")
    assert read_curves(path) == {"train/loss": [(1, 0.7), (2, 0.5)], "valid/loss": [(1, 0.8), (3, 0.7)]}
    assert read_curves(tmp_path / "none.csv") == {}


def test_no_training_curves_no_empty_picture(evaluations: dict[str, Evaluation]) -> None:
    assert "loss by epoch" not in page_of(evaluations["binary"], {}, {})


def test_a_matrix_of_many_classes_is_left_out(evaluations: dict[str, Evaluation]) -> None:
    many = replace(evaluations["multiclass"], classes=tuple(map(str, range(31))))
    assert "Confusion on the test rows" not in page_of(many, {}, {})


@pytest.mark.parametrize("points", [[(1.0, 2.0)], [(0.0, 0.0), (0.0, 0.0)], [(1e300, -1e300), (2e300, 1e300)]])
def test_charts_of_one_point_or_one_value_stay_in_their_frame(points: list[tuple[float, float]]) -> None:
    chart = line_chart({"a": points}, "x", "y")
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d", re.search(r'class="s0" d="([^"]*)"', chart)[1])]  # type: ignore[index]
    assert numbers
    assert all(0 <= n <= 320 for n in numbers)


def test_a_chart_of_nothing_is_nothing() -> None:
    assert line_chart({"a": []}, "x", "y") == ""


def test_a_figure_and_its_interval_are_one_cell_and_what_is_cut_is_told() -> None:
    table = pd.DataFrame(
        {"slice": ["a"] * 10, "value": 0.5, "low": 0.41, "high": np.nan, "rate": 1.0, "rate_low": 0.5, "rate_high": 2.0}
    )
    table["low_tide"], table["high"] = "x", [np.nan, *[0.6] * 9]
    view = views.table_view("slices", table)
    assert view.headings == ["slice", "value", "rate", "low tide"]
    assert view.numeric == [False, True, True, False]
    assert view.rows[0] == [("a", ""), ("0.5", ""), ("1", "0.5 to 2"), ("x", "")], "an open end is no interval"
    assert view.rows[1][1] == ("0.5", "0.41 to 0.6")
    assert (view.total, view.columns) == (10, 4)
    wide = views.table_view("rows", pd.DataFrame({f"c{i}": [1] for i in range(40)}))
    assert (len(wide.headings), wide.columns) == (views.MAX_COLUMNS, 40)
    raw = views.table_view("worst", pd.DataFrame({"row": [1], "close": [2.0], "low": [1.0], "high": [3.0]}))
    assert raw.headings == ["row", "close", "low", "high"], "columns of the user's own are no interval"


def test_tables_for_the_tracker_name_each_row_in_their_first_column(
    evaluations: dict[str, Evaluation], tmp_path: Path
) -> None:
    """The view of several runs groups by it: rows that share it would hide each other."""
    write_reports(tmp_path, evaluations["binary"], Context())
    for stem, size in (("table_metrics", 3), ("table_baselines", 3)):
        table = json.loads((tmp_path / f"evaluation/{stem}.json").read_text())
        assert table["columns"][0] == "figure"
        names = [row[0] for row in table["data"]]
        assert len(set(names)) == len(names) == size * len(evaluations["binary"].metrics)
        assert {len(row) for row in table["data"]} == {len(table["columns"])}
        assert all(isinstance(row[1], float) for row in table["data"])
