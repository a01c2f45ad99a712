"""A process that is killed while it tells the tracker leaves neither a second run nor a second point."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from goodfit.tracking import Tracker, TrackingSection

WORK = """
from pathlib import Path
from goodfit.tracking import Tracker, TrackingSection
with Tracker(TrackingSection(experiment="churn", model_name="churn"), Path(".")) as tracker:
    with tracker.candidate("s1", search="s1") as run:
        trial = tracker.trial(run, 0, params={"model.width": 8})
        for epoch in range(1, 4):
            trial.metrics({"train/loss": 1 / epoch}, epoch)
            tracker.flush(30)
        trial.finish_trial("COMPLETE")
"""
POINTS = ["track.created:1", "track.created:2", "track.sent:1", "track.sent:2", "track.told:1", "track.told:3"]


@pytest.mark.parametrize(
    "point", [POINTS[1], *(pytest.param(p, marks=pytest.mark.faults) for p in POINTS if p != POINTS[1])]
)
def test_a_kill_while_sending_doubles_nothing(root: Path, section: TrackingSection, store: Any, point: str) -> None:
    environment = {**os.environ, "GOODFIT_TEST": "1", "GOODFIT_FAILPOINT": f"{point}:KILL"}
    killed = subprocess.run([sys.executable, "-c", WORK], cwd=root, env=environment, capture_output=True)
    assert killed.returncode == -9
    assert (root / ".goodfit/outbox/s1/events.jsonl").exists()
    with Tracker(section, root) as tracker, tracker.candidate("s1", search="s1") as run:
        trial = tracker.trial(run, 0, params={"model.width": 8})
        for epoch in range(1, 4):
            trial.metrics({"train/loss": 1 / epoch}, epoch)
        trial.finish_trial("COMPLETE")
    assert len(store.runs()) == 2
    assert store.curve("s1-0", "train/loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert (store.run("s1").info.status, store.run("s1-0").info.status) == ("SCHEDULED", "FINISHED")
    assert store.run("s1-0").data.tags["mlflow.parentRunId"] == store.run("s1").info.run_id


def test_a_torn_last_line_costs_only_itself(root: Path, section: TrackingSection, store: Any) -> None:
    with Tracker(section, root) as tracker, tracker.candidate("a1") as run:
        run.metrics({"x": 1.0}, 1)
    path = root / ".goodfit/outbox/a1/events.jsonl"
    path.write_bytes(path.read_bytes() + b'{"run":"a1","op":"metr')
    with Tracker(section, root) as tracker, tracker.candidate("a1") as run:
        run.metrics({"x": 2.0}, 2)
    assert store.curve("a1", "x") == [(1, 1.0), (2, 2.0)]


@pytest.mark.parametrize("content", ["", "{}", "half", '{"offset": 999999999, "runs": {}, "store": "x"}'])
def test_a_damaged_note_of_what_was_sent_sends_again_without_harm(
    root: Path, section: TrackingSection, store: Any, content: str
) -> None:
    for damage in (None, content):
        if damage is not None:
            (root / ".goodfit/outbox/a1/sent.json").write_text(damage)
        with Tracker(section, root) as tracker, tracker.candidate("a1") as run:
            run.metrics({"x": 1.0}, 1)
    assert store.curve("a1", "x") == [(1, 1.0)]


def test_an_outbox_that_was_delivered_long_ago_is_removed(root: Path, section: TrackingSection, store: Any) -> None:
    for attempt in ("old", "new"):
        with Tracker(section, root) as tracker, tracker.candidate(attempt):
            pass
    old = root / ".goodfit/outbox/old/events.jsonl"
    os.utime(old, (1, 1))
    Tracker(section, root).sync()
    assert sorted(path.name for path in (root / ".goodfit/outbox").iterdir()) == ["new"]
