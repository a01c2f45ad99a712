"""Benchmarks as modules."""

import importlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that imports a module of `benchmarks` by its name there."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"benchmarks.{name}")
