"""A search that is killed and resumed equals an undisturbed one: no finished trial lost, none run twice."""

import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodfit.tuning import Outcome, Proposal, SearchResult, one_by_one

POINTS = {"search.before_study", "search.asked", "search.trial_done", "search.told", "search.all_done"}
"""Passed by a search that never pauses; see test_search_pauses.py."""
SCRIPT = """
import sys
from pathlib import Path
from goodfit.tuning import *
section = TuneSection(trials=6, startup_trials=2, batch=int(sys.argv[2]), space={
    "model.width": {"low": 4, "high": 256, "log": True}, "training.lr": {"low": 1e-4, "high": 1e-1, "log": True}})
space = Space(tuple(Axis(path, d, path == "model.width") for path, d in sorted(section.space.items())))
def run(proposal):
    if proposal.number == 2:
        return Outcome(proposal.number, "FAIL", error="diverged")
    width, lr = proposal.overrides["model.width"], proposal.overrides["training.lr"]
    return Outcome(proposal.number, "COMPLETE", width * lr + proposal.seed / 2**32, 3, 0.5)
result = search(section, space, 7, Path(sys.argv[1]) / "state", one_by_one(run), progress=False)
result.write_best(Path(sys.argv[1]) / "best.yaml")
result.write_trials_csv(Path(sys.argv[1]) / "trials.csv")
"""


def facts(result: SearchResult) -> list[Any]:
    return [(t.number, t.state, t.value, t.params, t.seed, t.epochs) for t in result.trials]


@pytest.mark.parametrize("batch", [1, 3])
def test_a_kill_at_every_failpoint_changes_nothing(lab: Any, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        passed = lab.kill_at(patch, -1)
        calm = lab.search("calm", batch=batch)
    assert set(passed) == POINTS
    assert {t.state for t in calm.trials} == {"COMPLETE", "PRUNED", "FAIL"}
    assert passed["search.told"] == len(calm.trials)
    for passage in range(1, passed.total() + 1):
        lab.runs.clear()
        with monkeypatch.context() as patch, pytest.raises(lab.Killed):
            lab.kill_at(patch, passage)
            lab.search(f"killed{passage}", batch=batch)
        resumed = lab.search(f"killed{passage}", batch=batch)
        assert facts(resumed) == facts(calm), passage
        assert resumed.best == calm.best
        assert lab.runs.total() <= len(calm.trials) + 1, "only the trial that was killed may run again"


def test_a_kill_in_the_middle_of_a_trial_runs_the_same_proposal_again(lab: Any) -> None:
    calm = lab.search("calm")
    assert len(calm.trials) > 5
    for number in range(len(calm.trials)):
        seen: list[Proposal] = []

        def run(proposal: Proposal, number: int = number, seen: list[Proposal] = seen) -> Outcome:
            if proposal.number == number:
                seen.append(proposal)
                if len(seen) == 1:
                    raise lab.Killed
            return lab.outcome(proposal)  # type: ignore[no-any-return]

        with pytest.raises(lab.Killed):
            lab.search(f"killed{number}", run)
        assert facts(lab.search(f"killed{number}", run)) == facts(calm)
        assert len(seen) == 2
        assert seen[0] == seen[1]


@settings(max_examples=20, deadline=None)
@given(
    batch=st.integers(1, 4),
    sampler=st.sampled_from(["tpe", "random"]),
    order=st.randoms(use_true_random=False),
    kills=st.lists(st.integers(1, 6), max_size=5),
)
def test_kills_and_the_order_of_outcomes_change_nothing(
    new_lab: Any, batch: int, sampler: str, order: random.Random, kills: list[int]
) -> None:
    """Each kill strikes after that many more outcomes have been yielded, in whatever order they come."""

    def shuffled(left: list[int]) -> Any:
        def run_batch(proposals: list[Proposal]) -> Iterator[Outcome]:
            mixed = list(proposals)
            order.shuffle(mixed)
            for outcome in one_by_one(lab.outcome)(mixed):
                left[0] -= 1
                if left[0] == 0:
                    raise lab.Killed
                yield outcome

        return run_batch

    with tempfile.TemporaryDirectory() as folder:
        lab = new_lab(Path(folder))
        options = {"batch": batch, "sampler": sampler}
        calm = lab.search("calm", **options)
        for kill in kills:
            try:
                lab.search(run_batch=shuffled([kill]), **options)
            except lab.Killed:
                continue
        resumed = lab.search(run_batch=shuffled([-1]), **options)
    assert facts(resumed) == facts(calm)
    assert [t.number for t in resumed.trials] == list(range(len(resumed.trials)))


def test_a_search_that_is_done_returns_at_once(lab: Any) -> None:
    first = lab.search()
    lab.runs.clear()
    journal = (lab.folder / "state/trials.jsonl").read_bytes()
    again = lab.search()
    assert facts(again) == facts(first)
    assert lab.runs.total() == 0
    assert (lab.folder / "state/trials.jsonl").read_bytes() == journal


def test_a_journal_that_ends_at_any_byte_is_gone_on_from(lab: Any) -> None:
    options = {"trials": 2, "space": {"model.width": {"low": 4, "high": 9}}, "sampler": "random"}

    def run(proposal: Proposal) -> Outcome:
        return Outcome(proposal.number, "COMPLETE", float(str(proposal.overrides["model.width"])))

    calm = lab.search("calm", run, **options)
    whole = (lab.folder / "calm/trials.jsonl").read_bytes()
    torn = lab.folder / "torn/trials.jsonl"
    torn.parent.mkdir()
    assert len(whole) > 500
    for length in range(len(whole)):
        torn.write_bytes(whole[:length])
        assert facts(lab.search("torn", run, **options)) == facts(calm), length


def test_finished_trials_are_reported_again_after_a_kill_so_that_mirrors_can_be_mended(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(lab.Killed):
        lab.kill_at(patch, 7)  # after the second trial was told, before on_trial heard of it
        lab.search()
    heard: list[Any] = []
    lab.search(on_trial=heard.append)
    assert [t.number for t in heard] == list(range(len(heard)))
    assert [t.restored for t in heard[:3]] == [True, True, False]


def test_a_killed_writer_leaves_no_litter(lab: Any) -> None:
    litter = lab.folder / "state/failures/.6.txt.4711.tmp"
    litter.parent.mkdir(parents=True)
    litter.write_text("half")
    lab.search()
    assert sorted(path.name for path in litter.parent.iterdir()) == ["6.txt"]


def process(folder: Path, batch: int, failpoint: str = "") -> int:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GOODFIT")}
    if failpoint:
        environment |= {"GOODFIT_TEST": "1", "GOODFIT_FAILPOINT": failpoint}
    folder.mkdir(exist_ok=True)
    return subprocess.run([sys.executable, "-c", SCRIPT, str(folder), str(batch)], env=environment).returncode


def equals_calm(folder: Path, calm: Path) -> bool:
    files = ("best.yaml", "trials.csv")
    return all((folder / name).read_bytes() == (calm / name).read_bytes() for name in files)


@pytest.mark.parametrize(
    "failpoint", ["search.asked:1", "search.trial_done:4", pytest.param("search.told:5", marks=pytest.mark.faults)]
)
def test_kill_9_of_a_real_process_changes_nothing(tmp_path: Path, failpoint: str) -> None:
    assert process(tmp_path / "calm", 1) == 0
    assert process(tmp_path / "killed", 1, f"{failpoint}:KILL") == -signal.SIGKILL
    assert process(tmp_path / "killed", 1) == 0
    assert equals_calm(tmp_path / "killed", tmp_path / "calm")


@pytest.mark.faults
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", sorted(POINTS))
def test_kill_9_at_every_failpoint_of_a_real_process(tmp_path: Path, name: str, batch: int) -> None:
    assert process(tmp_path / "calm", batch) == 0
    passages = 0
    while process(tmp_path / f"killed{passages}", batch, f"{name}:{passages + 1}:KILL") == -signal.SIGKILL:
        assert process(tmp_path / f"killed{passages}", batch) == 0
        assert equals_calm(tmp_path / f"killed{passages}", tmp_path / "calm")
        passages += 1
    assert passages >= 1
