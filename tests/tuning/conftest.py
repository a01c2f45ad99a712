import importlib
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goodfit.tuning import Axis, Dimension, Outcome, Proposal, SearchResult, Space, TuneSection, one_by_one, search

RANGES: dict[str, Any] = {
    "model.width": {"low": 4, "high": 256, "log": True},
    "regularization.dropout.p": {"low": 0.0, "high": 0.5},
    "training.optimizer.kind": {"choices": ["adam", "adamw", "sgd"]},
}


class Killed(BaseException):
    """What a test raises where a process would die."""


class Lab:
    """A small search whose trials cost nothing and give the same outcome for the same proposal."""

    Killed = Killed

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs: Counter[int] = Counter()

    def section(self, **options: Any) -> TuneSection:
        chosen = {"trials": 8, "batch": 1, "startup_trials": 3, "space": RANGES} | options
        return TuneSection.model_validate(chosen)

    def space(self, section: TuneSection) -> Space:
        whole = {"model.width"}
        return Space(tuple(Axis(path, d, path in whole) for path, d in sorted(section.space.items())))

    def outcome(self, proposal: Proposal) -> Outcome:
        """Fail every seventh, prune every fifth, complete the others; depends on the proposal alone."""
        self.runs[proposal.number] += 1
        if proposal.number % 7 == 6:
            raise ValueError(f"diverged with seed {proposal.seed}")
        width, p = proposal.overrides["model.width"], proposal.overrides["regularization.dropout.p"]
        assert isinstance(width, int)
        assert isinstance(p, float)
        value = abs(math.log(width) - 3) + p + proposal.seed / 2**34
        state = "PRUNED" if proposal.number % 5 == 4 else "COMPLETE"
        return Outcome(proposal.number, state, value, epochs=3, duration_s=0.25)

    def search(
        self, state: str | Path = "state", run: Callable[..., Outcome] | None = None, **options: Any
    ) -> SearchResult:
        section = self.section(**{k: v for k, v in options.items() if k not in ("seed", "run_batch", "on_trial")})
        run_batch = options.get("run_batch") or one_by_one(run or self.outcome)
        place = self.folder / state
        seed = options.get("seed", 7)
        return search(section, self.space(section), seed, place, run_batch, options.get("on_trial"), progress=False)

    def kill_at(self, patch: pytest.MonkeyPatch, passage: int) -> Counter[str]:
        """Raise at the n-th failpoint that is passed, whichever it is; returns the counter of passages."""
        passed: Counter[str] = Counter()

        def failpoint(name: str) -> None:
            passed[name] += 1
            if passed.total() == passage:
                raise Killed(name)

        for module in ("search", "running"):
            patch.setattr(importlib.import_module(f"goodfit.tuning.{module}"), "failpoint", failpoint)
        return passed


@pytest.fixture(scope="session")
def new_lab() -> Callable[[Path], Lab]:
    return Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture
def dimension() -> Callable[..., Dimension]:
    return lambda **options: Dimension.model_validate(options)
