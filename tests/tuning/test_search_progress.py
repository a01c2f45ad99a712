"""What a search shows while it runs, with and without a terminal."""

import errno
import importlib
import io
from typing import Any

import pytest
from rich.console import Console

from goodfit.tuning import Outcome, one_by_one, search

PROGRESS = importlib.import_module("goodfit.tuning.progress")


def shown(lab: Any, **options: Any) -> None:
    section = lab.section(**options)
    search(section, lab.space(section), 7, lab.folder / "state", one_by_one(lab.outcome))


def test_without_a_terminal_it_is_a_line_now_and_then(lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shown(lab, trials=8)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("trial 0 COMPLETE ")
    assert "; 1/8 done, best valid/loss " in lines[0]
    assert lines[1].startswith("trial 6 FAIL; 6/8 done, 1 pruned, 1 failed, best valid/loss ")
    assert lines[-1].startswith("trial 8 COMPLETE ")
    assert "8/8 done" in lines[-1]
    assert len(lines) == 3


def test_in_a_terminal_it_is_a_bar(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.StringIO()
    monkeypatch.setattr(PROGRESS, "console", lambda: Console(file=text, force_terminal=True, width=150))
    shown(lab, trials=8)
    assert "8/8 done, 1 pruned, 1 failed, best valid/loss " in text.getvalue()


@pytest.mark.parametrize("error", [OSError(errno.EIO, "hung up"), ValueError("closed file"), SystemExit(1)])
@pytest.mark.parametrize("last", [0, 5])
def test_a_terminal_that_goes_away_does_not_end_the_search(
    lab: Any, error: BaseException, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SystemExit is what rich raises on a broken pipe."""

    class Gone(io.StringIO):
        written = 0

        def write(self, text: str) -> int:
            self.written += 1
            if self.written > last:
                raise error
            return super().write(text)

    monkeypatch.setattr(PROGRESS, "console", lambda: Console(file=Gone(), force_terminal=True, width=150))
    shown(lab, trials=8)
    assert lab.runs.total() == 9


def test_nothing_is_shown_when_asked_so(lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    lab.search()
    assert capsys.readouterr().out == ""


class Clock:
    """A clock that only the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        for module in ("ledger", "progress"):
            monkeypatch.setattr(importlib.import_module(f"goodfit.tuning.{module}"), "time", self)

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({}, "about 50 s left"),
        ({"timeout": 1000.0}, "about 50 s left"),
        ({"timeout": 30.0}, "about 10 s left"),
        ({"epochs": 5}, "about 30 s left"),
        ({"rescore": {"top": 1, "seeds": 3}}, "about 80 s left"),
        ({"rescore": {"top": 1, "seeds": 3}, "folds": 2}, "about 2 min left"),
    ],
)
def test_the_time_left_is_what_trials_took_or_the_budget_leaves(
    lab: Any, options: Any, left: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(monkeypatch)

    def run(proposal: Any) -> Outcome:
        clock.now += 10
        return Outcome(proposal.number, "COMPLETE", 1.0, epochs=1)

    section = lab.section(trials=7, **options)
    search(section, lab.space(section), 7, lab.folder / "state", one_by_one(run))
    lines = capsys.readouterr().out.splitlines()
    assert left in lines[1]


def test_what_lost_early_does_not_say_how_long_the_others_take(
    lab: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a batch the losers end first: counted alone, they would promise an end in no time."""
    clock = Clock(monkeypatch)

    def run(proposal: Any) -> Outcome:
        wins = proposal.rescores is not None or proposal.number % 4 == 3
        clock.now += 97 if wins else 1
        return Outcome(proposal.number, "COMPLETE" if wins else "PRUNED", 1.0, epochs=30 if wins else 1)

    section = lab.section(trials=12, batch=4, rescore={"top": 1, "seeds": 2})
    search(section, lab.space(section), 7, lab.folder / "state", one_by_one(run))
    lines = capsys.readouterr().out.splitlines()
    left = [line.partition("(trial ")[2].partition("about ")[2] for line in lines]
    assert len(lines) == 14
    assert not any(left[:4])  # the first batch: nothing tells yet
    rate = 97 + 3
    looks = 2 * 30 * rate / 33
    assert left[4] == PROGRESS._readable(2 * rate + looks - 1) + " left"
    assert left[7] == PROGRESS._readable(rate + looks) + " left"
    assert left[11] == PROGRESS._readable(looks) + " left"
    assert left[12] == PROGRESS._readable(2 * 30 * 3 * rate / 99 - 97) + " left"


@pytest.mark.parametrize(("seconds", "text"), [(59, "59 s"), (120, "2 min"), (5_399, "90 min"), (7_200, "2.0 h")])
def test_times_are_readable(seconds: float, text: str) -> None:
    assert PROGRESS._readable(seconds) == text
