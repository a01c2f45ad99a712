"""docs/quality.md shows what the benchmark measured, and the benchmark spends its time as it says."""

import json
from pathlib import Path
from typing import Any

import pytest


def test_the_page_shows_the_kept_figures(loaded: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = loaded("quality.page")
    text = page.PAGE.read_text()
    assert page.BEGIN + page.figures() + page.END in text, "run: python -m benchmarks.quality.page"
    for name in ("quality", "cocktail"):
        kept = json.loads((page.RESULTS / f"{name}.json").read_text())
        first = next(iter(kept["tables"].values()))["contestants"]
        next(iter(first.values()))["loss"] += 0.1
        (tmp_path / f"{name}.json").write_text(json.dumps(kept))
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    assert page.figures() not in text  # the check above can fail


def test_the_page_is_written_in_place(loaded: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = loaded("quality.page")
    (tmp_path / "page.md").write_text(f"before\n{page.BEGIN}old\n{page.END}\nafter\n")
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    page.main()
    assert (tmp_path / "page.md").read_text() == f"before\n{page.BEGIN}{page.figures()}{page.END}\nafter\n"


def test_what_the_page_says_of_small_gaps_is_what_was_measured(loaded: Any) -> None:
    """On every table less than half the gap of the network without anything against overfitting, at a lower loss."""
    page = loaded("quality.page")
    tables = json.loads((page.RESULTS / "cocktail.json").read_text())["tables"]
    assert sorted(tables) == ["attrition", "breast_cancer", "concrete"]
    for found in tables.values():
        cocktail, plain = (found["contestants"][name] for name in ("cocktail", page.PLAIN))
        assert cocktail["gap"] < 0.5 * plain["gap"]
        assert cocktail["loss"] < plain["loss"]


@pytest.mark.parametrize("task", ["classes", "values"])
@pytest.mark.parametrize("rows", [300, 1_999, 2_000, 9_999, 54_000, 100_000, 330_000])
def test_ours_leaves_time_to_train_what_it_found(loaded: Any, task: str, rows: int) -> None:
    main = loaded("quality.__main__")
    plans = {one: main.plan(one, task, rows) for one in main.OURS}
    assert 0 < plans["goodfit"].share < 0.5
    assert plans["goodfit"].epochs >= 3
    assert plans["goodfit"].votes == (1 if rows > main.MANY else 5 if rows < main.FEW else 3)
