"""A signal ends a fit as a signal; Lightning would make it a success."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goodfit.training import Recipe, TrainingData, fit


def ended(child: Callable[..., Any], folder: Path, **variables: Any) -> tuple[int, str]:
    process = child("fit_in_child.py", state=folder / "state", result=folder / "result", signal_at=2, **variables)
    process.join(60)
    result = folder / "result"
    return process.exitcode, result.read_text() if result.exists() else ""


def test_sigterm_ends_a_fit_by_the_signal(child: Callable[..., Any], tmp_path: Path) -> None:
    assert ended(child, tmp_path, sends=signal.SIGTERM) == (-signal.SIGTERM, "")


def test_sigterm_reaches_the_handler_of_the_stage(child: Callable[..., Any], tmp_path: Path) -> None:
    assert ended(child, tmp_path, sends=signal.SIGTERM, handler="ours") == (143, "Interrupted")


def test_ctrl_c_stays_a_keyboard_interrupt(child: Callable[..., Any], tmp_path: Path) -> None:
    assert ended(child, tmp_path, sends=signal.SIGINT) == (130, "KeyboardInterrupt")


def test_trap_with_lightnings_handlers_sigterm_is_exit_code_0(child: Callable[..., Any], tmp_path: Path) -> None:
    assert ended(child, tmp_path, sends=signal.SIGTERM, without="previous handlers") == (0, "")


@pytest.mark.parametrize(("handler", "ending"), [("", (-15, "")), ("ours", (143, "Interrupted"))])
def test_a_signal_while_lightnings_handlers_stand_is_not_lost(
    child: Callable[..., Any], tmp_path: Path, handler: str, ending: tuple[int, str]
) -> None:
    assert ended(child, tmp_path, early=True, sends=0, handler=handler) == ending


def test_a_fit_runs_in_a_thread(churn: tuple[Recipe, TrainingData]) -> None:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(fit(*churn, seed=1, state=None, progress=False)))
    thread.start()
    thread.join(60)
    assert len(results) == 1
