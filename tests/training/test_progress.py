"""The progress display: right on a terminal, quiet elsewhere, and never a reason to fail."""

import io
import os
import pty
import sys
import threading

import pytest

from goodfit.training import Epoch, Recipe, TrainingData, fit
from goodfit.training import progress as screen
from goodfit.training.progress import Bar, Lines, Silent, display

EPOCH = Epoch(3, {"train/loss": 0.25, "valid/loss": 0.5}, 0.1)


def test_nothing_is_shown_where_nothing_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    shown = display(10, wanted=False)
    shown.show(EPOCH)
    shown.close()
    assert isinstance(shown, Silent)
    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_there_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = display(10, wanted=True)
    assert isinstance(shown, Lines)
    shown.show(EPOCH)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(screen, "SECONDS_BETWEEN_LINES", 0.0)
    shown.show(EPOCH)
    shown.close()
    assert capsys.readouterr().out == "epoch 3/10: train 0.2500  valid 0.5000\n"


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    leader, follower = pty.openpty()
    parts: list[bytes] = []
    reader = threading.Thread(target=_drain, args=(leader, parts))
    reader.start()
    with os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        shown = display(10, wanted=True)
        assert isinstance(shown, Bar)
        shown.show(EPOCH)
        shown.close()
        monkeypatch.undo()
    reader.join(10)
    text = b"".join(parts).decode()
    assert "epoch 3/10" in text
    assert "valid 0.5000" in text


def _drain(descriptor: int, parts: list[bytes]) -> None:
    try:
        while part := os.read(descriptor, 1024):
            parts.append(part)
    except OSError:  # the other end is closed
        os.close(descriptor)


@pytest.mark.parametrize("state", ["none", "closed", "broken"])
def test_a_screen_that_is_gone_ends_nothing(
    churn: tuple[Recipe, TrainingData], monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    class Broken(io.StringIO):
        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            raise BrokenPipeError

    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", {"none": None, "closed": closed, "broken": Broken()}[state])
    monkeypatch.setattr(screen, "SECONDS_BETWEEN_LINES", 0.0)
    assert len(fit(*churn, seed=1, state=None).epochs) == 4
