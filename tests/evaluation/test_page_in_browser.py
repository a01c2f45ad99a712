"""The page in a real browser: no request, no complaint, nothing cut, and whatever the data say stays text."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.data import Column, Schema
from goodfit.evaluation import INSPECTIONS, Context, EvaluateSection, Evaluation, evaluate, render_report
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.evaluation.card_section import CardSection
from goodfit.evaluation.charts import bar_chart, line_chart
from goodfit.evaluation.gates import Outcome
from goodfit.evaluation.inspecting import Inspected
from goodfit.evaluation.inspections import Finding

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(BROWSER is None and not os.environ.get("CI"), reason="no Chromium on this machine")
OFF: dict[str, Any] = {kind: {"enabled": False} for kind in INSPECTIONS}
QUICK = EvaluateSection(bootstrap=BootstrapSection(resamples=100), **OFF)
WIDTHS = (400, 1400)
ITS_OWN = "not an origin"
"""The initiator of what this browser asks for by itself (updates, the time), whatever page it shows."""
CALM = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-extensions",
    "--disable-client-side-phishing-detection", "--enable-logging=stderr", "--virtual-time-budget=2000",
)  # fmt: skip
TAGS = (
    "script",
    "img",
    "svg",
    "iframe",
    "object",
    "embed",
    "video",
    "audio",
    "link",
    "meta",
    "base",
    "form",
    "math",
    "a",
)
ENDS = ("td", "table", "title", "style", "svg", "text", "p", "body", "html")
HOSTILE = [
    *(f"<{tag} src=http://127.0.0.1:9/{tag} onerror=alert(1) onload=alert(1)>{tag}" for tag in TAGS),
    *(f"</{tag}><script>alert('{tag}')</script>" for tag in ENDS),
    *(f"{quote} on{event}={quote}alert(1)" for quote in ("'", '"', "`") for event in ("click", "mouseover", "focus")),
    "{{ 7 * 7 }}", "{% if 7 %}", "${7 * 7}", "<%= 7 * 7 %>", "#{7 * 7}",
    *(f"{scheme}:alert(1)" for scheme in ("javascript", "JaVaScRiPt", "data:text/html", "vbscript")),
    "<!-- comment", "-->", "]]>", "<![CDATA[x]]>", "<?php echo 1 ?>", "&lt;b&gt;", "&#60;b&#62;", "&nbsp;&amp;amp;",
    "\\u003cscript\\u003e", "%3Cscript%3E", "=cmd|' /C calc'!A0", "@SUM(1)", "../../etc/passwd", "a;b,c\"d'e",
    "نص عربي", "漢字かな", "😀👩‍👩‍👧", "é vs é", "Z͑ͫ̓aͫ̓lgo", "x" * 120,
]  # fmt: skip


class Text(HTMLParser):
    """The text and tags of a document as the browser has it."""

    def __init__(self, dom: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.feed(dom)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.handlers += [name for name, _ in attributes if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def browse(page: Path) -> tuple[str, list[str], set[str]]:
    """Return the document, what the console said, and the addresses that were asked for beyond the file's."""
    assert BROWSER, "CI must have Chromium: .ci/run installs it"
    log = page.parent / "net.json"
    profile = page.parent / "profile"
    command = [BROWSER, *CALM, f"--user-data-dir={profile}", f"--log-net-log={log}", "--window-size=1600,1000"]
    done = subprocess.run(
        [*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, said, asked_for(json.loads(log.read_text(errors="replace")))


def asked_for(log: dict[str, Any]) -> set[str]:
    """Return the addresses that the page asked for, and not the browser, beyond files."""
    kind = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    begun = [event["params"] for event in log["events"] if event["type"] == kind and "url" in event.get("params", {})]
    own = {request["url"] for request in begun if request["initiator"] == ITS_OWN}
    return {request["url"] for request in begun if re.match("(https?|ftp|wss?):", request["url"])} - own


def framed(page: Path, width: int) -> Path:
    """Return a page that shows another in a frame of a phone's or a desk's width, and says how wide its content is."""
    text = escape(page.read_text(encoding="utf-8"), quote=True)
    tell = "document.body.dataset.wide = document.querySelector('iframe').contentDocument.documentElement.scrollWidth"
    frame = f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{text}"></iframe>'
    harness = page.parent / f"framed-{width}.html"
    harness.write_text(f'<meta charset="utf-8"><body>{frame}<script>onload = () => {{ {tell} }}</script></body>')
    return harness


def full(evaluation: Evaluation, names: list[str]) -> tuple[Evaluation, Context]:
    """Return an evaluation and a context with the names wherever data could have put them."""
    columns = [Column(name, "numeric", "feature") for name in names] + [Column(names[0], "categorical", "target")]
    frame = pd.DataFrame({name: [1.5, 2.5] for name in names[:16]} | {"text": names[:2]})
    cells = pd.DataFrame({"slice": names, "value": np.linspace(0, 1, len(names))})
    charts = [
        *(
            (name, bar_chart([name, name[::-1]], [1.0, 2.0], name, intervals=[(0.5, 1.5), (1, 3)]))
            for name in names[:20]
        ),
        ("lines", line_chart({name: [(0.0, 1.0), (2.0, 3.0)] for name in names[20:24]}, names[24], names[25])),
    ]
    findings = {
        f"kind{i}": Finding(
            name,
            name,
            {"cells": cells.iloc[i * 10 : i * 10 + 10], "frame": frame},
            charts if i == 0 else (),
            warnings=(name,),
        )
        for i, name in enumerate(names[:7])
    }
    classes = (names[1], names[2])
    forged = replace(
        evaluation, classes=classes, schema=Schema(tuple(columns), "binary", classes),
        notes=dict.fromkeys(names, "noted"), inspected=Inspected(findings, {"broken": names[3]}),
    )  # fmt: skip
    context = Context(
        record={"params": dict.fromkeys(names, "v"), "git_commit": names[4], "inputs": {names[6]: names[7]}},
        curves={names[8]: [(1.0, 2.0), (2.0, 1.0)], names[9]: [(1.0, 2.0), (2.0, 1.5)]},
        split={"strategy": names[10], "leakage": [{"name": n, "passed": False, "detail": n} for n in names[:9]]},
        validation={"success": False, "rows": 1, "evaluated": 2, "quarantined": 0, "failed": [
            {"expectation": name, "column": name, "severity": name, "observed": name} for name in names]},
        trials=[{"number": "1", "state": "COMPLETE", "value": "0.5", names[11]: names[12]}],
        gates=[Outcome("metric", name, name, False) for name in names[:5]],
        card=CardSection(use=names[13], limits=names[14], owner=names[15]),
    )  # fmt: skip
    return forged, context


@pytest.fixture(scope="module")
def evaluation(world: Callable[..., Any]) -> Evaluation:
    made = world("binary")
    return evaluate(made.oracle, made.parts, QUICK, 7)


@pytest.fixture(scope="module")
def hostile_page(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_report(*full(evaluation, HOSTILE)), encoding="utf-8")
    return path


def test_there_are_sixty_hostile_strings() -> None:
    assert len(set(HOSTILE)) >= 60


def test_it_opens_from_a_file_without_a_request_or_a_complaint(hostile_page: Path) -> None:
    dom, said, asked = browse(hostile_page)
    assert "<h1>" in dom
    assert said == []
    assert asked == set()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen(hostile_page: Path, width: int) -> None:
    dom, said, asked = browse(framed(hostile_page, width))
    found = re.search(r'data-wide="(\d+)"', dom)
    assert found
    assert int(found[1]) == width
    assert said == []
    assert asked == set()


def test_hostile_strings_are_text(hostile_page: Path) -> None:
    dom, _, _ = browse(hostile_page)
    page = Text(dom)
    assert not page.tags & {"script", "img", "iframe", "object", "embed", "video", "audio", "link", "base", "form", "a"}
    assert page.handlers == []
    shown = "".join(page.texts)
    assert [name for name in HOSTILE if name.isprintable() and shown.count(name) < 3] == []


def test_this_browser_would_report_a_request_and_an_error(tmp_path: Path) -> None:
    page = tmp_path / "loud.html"
    address = "http://127.0.0.1:9"
    asking = f'<img src="{address}/pixel.png"><iframe src="{address}/frame"></iframe>'
    script = f'console.error("oh"); fetch("{address}/data").catch(() => 0)'
    page.write_text(f"<h1>x</h1>{asking}<script>{script}</script>")
    _, said, asked = browse(page)
    assert any("oh" in line for line in said)
    assert asked == {f"{address}/{name}" for name in ("pixel.png", "frame", "data")}


def test_the_page_of_a_huge_table_stays_small(evaluation: Evaluation) -> None:
    names = [f"column {i} with a name of some length" for i in range(500)]
    forged, context = full(evaluation, names)
    rows = pd.DataFrame({name: np.arange(1_000_000 // 500) for name in names})
    huge = Finding(
        "t", "s", {"rows": rows, "more": rows}, [(n, bar_chart(names, list(range(500)), "x")) for n in names]
    )
    curves = {name: [(float(i), float(i)) for i in range(5000)] for name in ("train/loss", "valid/loss")}
    forged = replace(forged, inspected=Inspected({f"k{i}": huge for i in range(9)}))
    text = render_report(forged, replace(context, curves=curves))
    assert len(text.encode()) < 5_000_000
