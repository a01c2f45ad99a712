"""`kill -9` at every step of a change of champion: the old one or the new one, and the next retrain finishes it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from goodfit.retraining.freshness import nothing_new
from goodfit.tracking import CHAMPION, PREVIOUS, model_registry

BENCH = Path(__file__).with_name("bench.py")
DECIDED = ("promote.decided", "promote.between", "promote.pointed")
"""From the first of these on the decision stands, and the next retrain need not judge anew."""
POINTS = {
    "turn.taken": "K27",
    "version.created": "K28",
    "promote.decided": "K29",
    "promote.between": "K30",
    "promote.pointed": "K31",
}
IN_EVERY_RUN = ("promote.between",)


def killed(bench: Any, what: str, point: str) -> None:
    environment = {**os.environ, "GOODFIT_TEST": "1", "GOODFIT_FAILPOINT": f"{point}:KILL"}
    done = subprocess.run([sys.executable, str(BENCH), str(bench.root), what], env=environment, capture_output=True)
    assert done.returncode == -9, done.stderr


def state(bench: Any) -> tuple[dict[str, int], list[tuple[int, int | None]], list[int]]:
    """Return aliases, decisions (version and the one before), and versions."""
    with model_registry(bench.params.tracking, bench.root) as registry:
        decisions = [(decision.version, decision.previous) for decision in registry.succession.history()]
        return registry.versions.aliases(), decisions, [version.number for version in registry.versions.all()]


@pytest.mark.parametrize(
    "point", [p if p in IN_EVERY_RUN else pytest.param(p, marks=pytest.mark.faults) for p in POINTS]
)
def test_a_promotion_that_is_killed_is_finished_by_the_next_retrain(second: Any, point: str) -> None:
    second.append(100, 3)
    second.edit("min_test_rows: 50", "min_test_rows: 50, margin: {rule: non_inferior, by: 0.1}")
    killed(second, "1.5", point)
    aliases, decisions, _ = state(second)
    assert aliases[CHAMPION] in ((2, 3) if point in DECIDED else (2,))
    assert decisions[2:] == ([(3, 2)] if point in DECIDED else [])
    assert nothing_new(second.root) is None
    outcome = second.retrain(1.5)
    assert outcome.champion == 3
    aliases, decisions, versions = state(second)
    assert (aliases, decisions, versions) == (
        {CHAMPION: 3, PREVIOUS: 2},
        [(1, None), (2, 1), (3, 2)],
        [1, 2, 3],
    ), "decided once, one version to a key"
    with model_registry(second.params.tracking, second.root) as registry:
        version = registry.versions.get(3)
        assert version is not None and version.tags["goodfit.decision"] == "promotion"
        died = [] if point == "turn.taken" else ["KILLED"]
        assert [run.status for run in registry.retrains()] == ["FINISHED", "FINISHED", *died, "FINISHED"]


@pytest.mark.faults
@pytest.mark.parametrize("point", DECIDED)
def test_a_rollback_that_is_killed_is_finished_by_the_next_retrain(second: Any, point: str) -> None:
    killed(second, "rollback", point)  # K32
    aliases, decisions, _ = state(second)
    assert aliases[CHAMPION] in (1, 2)
    assert decisions == [(1, None), (2, 1), (1, 2)]
    assert nothing_new(second.root) is None, "the next retrain looks at the registry"
    second.retrain(1.5)
    assert state(second)[0] == {CHAMPION: 1, PREVIOUS: 2}
    assert state(second)[1] == decisions
