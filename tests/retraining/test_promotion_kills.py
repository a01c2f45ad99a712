"""Killed at every step of a change of champion: the old one or the new one, and the next retrain finishes it.

The process is killed or told to end, or the database under it crashes.
"""

import os
import signal
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
EVERY = [(point, how) for point in POINTS for how in ("KILL", "TERM")]
CODES = {"KILL": -9, "TERM": 143}


def started(bench: Any, what: str, failpoint: str = "") -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "GOODFIT_TEST": "1", "GOODFIT_FAILPOINT": failpoint}
    command = [sys.executable, str(BENCH), str(bench.root), what]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def killed(bench: Any, what: str, point: str, how: str) -> None:
    process = started(bench, what, f"{point}:{how}")
    _, said = process.communicate(timeout=200)
    assert process.returncode == CODES[how], said


def state(bench: Any) -> tuple[dict[str, int], list[tuple[int, int | None]], list[int]]:
    """Return aliases, decisions (version and the one before), and versions."""
    with model_registry(bench.params.tracking, bench.root) as registry:
        decisions = [(decision.version, decision.previous) for decision in registry.succession.history()]
        return registry.versions.aliases(), decisions, [version.number for version in registry.versions.all()]


@pytest.mark.faults
@pytest.mark.parametrize(("point", "how"), EVERY)
def test_a_promotion_that_is_ended_is_finished_by_the_next_retrain(second: Any, point: str, how: str) -> None:
    second.append(100, 3)
    second.edit("min_test_rows: 50", "min_test_rows: 50, margin: {rule: non_inferior, by: 0.1}")
    killed(second, "1.5", point, how)
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
@pytest.mark.parametrize("how", ["KILL", "TERM"])
@pytest.mark.parametrize("point", DECIDED)
def test_a_rollback_that_is_ended_is_finished_by_the_next_retrain(second: Any, point: str, how: str) -> None:
    killed(second, "rollback", point, how)  # K32
    aliases, decisions, _ = state(second)
    assert aliases[CHAMPION] in (1, 2)
    assert decisions == [(1, None), (2, 1), (1, 2)]
    assert nothing_new(second.root) is None, "the next retrain looks at the registry"
    second.retrain(1.5)
    assert state(second)[0] == {CHAMPION: 1, PREVIOUS: 2}
    assert state(second)[1] == decisions


@pytest.mark.faults
@pytest.mark.parametrize("again", ["at once", "later"])
@pytest.mark.parametrize("point", ["track.created", "track.sent", "promote.decided", "promote.between"])
def test_a_database_that_crashes_during_a_promotion_loses_nothing(
    bench: Any, cluster: Any, point: str, again: str
) -> None:
    """K36: PostgreSQL ends at once, as `pg_ctl -m immediate` ends it, while the retrain stands still at a point."""
    bench.edit("model_name: bench}", f"model_name: bench, uri: '{cluster.server.url()}'}}")
    bench.edit("min_test_rows: 50", "min_test_rows: 50, margin: {rule: non_inferior, by: 0.1}")
    assert bench.retrain(1.0).status == "promoted"
    bench.append(200, 2)
    process = started(bench, "1.5", f"{point}:STOP")
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), process.communicate()
        cluster.stop(signal.SIGQUIT)
        if again == "at once":
            cluster.start()
        process.send_signal(signal.SIGCONT)
        _, said = process.communicate(timeout=200)
    finally:
        process.kill()
    assert process.returncode in ((0, 5) if again == "at once" else (5,)), said
    assert b"Traceback" not in said
    if again == "later":
        cluster.start()
    outcome = bench.retrain(1.5)
    assert outcome.champion == 2
    aliases, decisions, versions = state(bench)
    assert (aliases, decisions, versions) == ({CHAMPION: 2, PREVIOUS: 1}, [(1, None), (2, 1)], [1, 2])
    with model_registry(bench.params.tracking, bench.root) as registry:
        statuses = [run.status for run in registry.retrains()]
    assert statuses[0] == statuses[-1] == "FINISHED" and "RUNNING" not in statuses
